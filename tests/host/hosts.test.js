'use strict';
// Both wrappers with the real program in simulated hosts, against the sandbox: from inputs to signed, and every way
// in which that fails.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const path = require('node:path');
const { after, before, test } = require('node:test');
const { azure } = require('./azure.js');
const { github } = require('./github.js');
const { packaged } = require('./package.js');
const { startSandbox } = require('./sandbox.js');
const { binary, readJson, taskLibCommands, temporaryFolder, tools, vsix } = require('./tools.js');

const REPOSITORY = 'contoso.azurecr.io/shop/web';
const TAGS = ['1.0', '1', 'latest'].map((tag) => `${REPOSITORY}:${tag}`);
const KEY = 'akv:contoso/keys/release';
const camel = (name) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());

let sandbox;
let package_;
let root;
before(async () => {
  package_ = packaged({ program: fs.readFileSync(binary()) });
  sandbox = await startSandbox();
  root = sandbox.initialise(REPOSITORY);
});
after(() => sandbox?.stop());

/** What leads to the sandbox, or, for the registry, to another address. */
const network = () => ({ 'connect-to': sandbox.connectTo, 'ca-file': sandbox.caFile });
const registryAt = (address) => ({ 'connect-to': sandbox.connectTo.replace(/^contoso\.azurecr\.io=.*$/m, `contoso.azurecr.io=${address}`) });
const oidc = () => ({
  ACTIONS_ID_TOKEN_REQUEST_URL: sandbox.exported.SANDBOX_ACTIONS_ID_TOKEN_REQUEST_URL,
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: sandbox.exported.SANDBOX_ACTIONS_ID_TOKEN_REQUEST_TOKEN,
});
const identity = () => ({ 'client-id': sandbox.exported.SANDBOX_AZURE_CLIENT_ID, 'tenant-id': sandbox.exported.SANDBOX_AZURE_TENANT_ID });
const signing = () => ({ command: 'sign', format: 'dct', key: KEY, root, ...network() });
const gate = () => ({ command: 'verify', format: 'dct', root, ...network() });

const onGitHub = ({ inputs, environment, ...rest }) =>
  github({ action: package_.action, inputs: { ...identity(), ...inputs }, environment: { ...oidc(), ...environment }, ...rest });

const connection = (scheme, parameters = {}, data = {}) => ({
  id: scheme === 'WorkloadIdentityFederation' ? sandbox.exported.SANDBOX_AZURESUBSCRIPTION_SERVICE_CONNECTION_ID : '7d2e1b60-3f5a-4c7e-9a55-0d1c2b3a4f5e',
  scheme,
  parameters: { tenantid: sandbox.exported.SANDBOX_AZURE_TENANT_ID, serviceprincipalid: sandbox.exported.SANDBOX_AZURE_CLIENT_ID, ...parameters },
  data: { SubscriptionId: '99999999-0000-0000-0000-000000000000', environment: 'AzureCloud', ...data },
});
const onAzure = ({ inputs, endpoint = connection('WorkloadIdentityFederation'), variables, folder = package_.folder, task = package_.task, ...rest }) => {
  const named = Object.fromEntries(Object.entries(inputs).map(([name, value]) => [camel(name), value]));
  return azure({
    folder, task, endpoints: [endpoint], accessToken: sandbox.exported.SANDBOX_SYSTEM_ACCESSTOKEN,
    inputs: { azureSubscription: endpoint.id, ...named },
    variables: { 'System.OidcRequestUri': sandbox.exported.SANDBOX_SYSTEM_OIDCREQUESTURI, ...variables },
    ...rest,
  });
};
const hosts = { github: onGitHub, azure: onAzure };

/** What must hold for every step of either host, whatever happened in it. */
function assertSound(step) {
  const lines = step.lines ?? step.log;
  for (const line of lines) assert.ok(Buffer.byteLength(line) <= 16 * 1024, `a line of ${line.length}`);
  for (const [kind, all] of Object.entries(step.issues)) assert.ok(all.length <= 10, `${all.length} of ${kind}`);
  assert.equal(step.dropped, 0);
  const shown = JSON.stringify([step.log, step.issues, step.outputs, step.summary ?? step.summaries]);
  for (const secret of [sandbox.exported.SANDBOX_ACTIONS_ID_TOKEN_REQUEST_TOKEN, sandbox.exported.SANDBOX_SYSTEM_ACCESSTOKEN, sandbox.exported.SANDBOX_AZURE_CLIENT_SECRET]) {
    assert.ok(!shown.includes(secret), 'a secret is shown');
  }
  assert.ok(!/eyJ[\w-]+\.eyJ/.test(shown), 'a token is shown');
  if (step.completed) {
    assert.equal(step.completed.length, 1);
    assert.equal(step.code, 0);
    assertAsTaskLib(step.lines);
  }
}

/** Every logging command reads, and is spelt, as azure-pipelines-task-lib has it. */
function assertAsTaskLib(lines) {
  const { TaskCommand, commandFromString } = taskLibCommands();
  for (const line of lines.filter((one) => one.includes('##vso['))) {
    const { command, properties, message } = commandFromString(line);
    assert.equal(new TaskCommand(command, properties, message).toString(), line);
  }
}

/** The same on both hosts: what the step came to, in one form. */
function summed(step) {
  const name = step.completed ? camel : (one) => one;
  const output = (one) => step.outputs[name(one)] ?? '';
  return {
    passed: (step.conclusion ?? step.result) === 'success' || step.result === 'Succeeded' || step.result === 'SucceededWithIssues',
    decision: output('decision'), digest: output('digest'), images: output('images'), signed: output('signed-count'), failed: output('failed-count'),
    report: output('report-path') && readJson(output('report-path')),
    summary: step.summary ?? step.summaries?.map(({ text }) => text).join('\n'),
    errors: step.issues.error.map(({ message }) => message),
    warnings: step.issues.warning.map(({ message }) => message),
  };
}

async function onEach(t, options, check) {
  for (const [host, run] of Object.entries(hosts)) {
    await t.test(host, async () => {
      const step = await run(typeof options === 'function' ? options(host) : options);
      assertSound(step);
      await check(summed(step), step, host);
    });
  }
}

test('a build\'s tags and digest are signed, then pass the gate', async (t) => {
  await onEach(t, () => ({ inputs: { ...signing(), tags: TAGS.join('\n'), digest: sandbox.digest, force: 'true' } }), async (sum, step, host) => {
    assert.ok(sum.passed, step.log.join('\n'));
    const images = TAGS.map((tag) => `${tag}@${sandbox.digest}`).join('\n');
    assert.deepEqual([sum.decision, sum.digest, sum.images, sum.signed, sum.failed], ['allow', sandbox.digest, images, '3', '0']);
    assert.deepEqual(sum.report.images.map(({ status }) => status), ['signed', 'signed', 'signed']);
    assert.ok(sum.summary.includes('shop/web'));
    assert.ok(step.masks.length >= 3, 'assertion and tokens are masked');
    assert.deepEqual(step.left, []);
    if (host === 'github') assert.deepEqual([step.environment, step.paths, step.state], [{}, [], {}]);

    const verified = summed(await hosts[host]({ inputs: { ...gate(), images } }));
    assert.ok(verified.passed);
    assert.deepEqual([verified.decision, verified.images], ['allow', images]);
  });
});

test('signing in a pipeline asks for nothing that plain signing does not', async () => {
  const file = path.join(package_.action, 'plain.json');
  sandbox.run('sign', ...TAGS, '--format', 'dct', '--key', KEY, '--root', root, '--digest', sandbox.digest, '--force', '--report', file);
  const step = await onGitHub({ inputs: { ...signing(), tags: TAGS.join(','), digest: sandbox.digest, force: 'true' } });
  const counts = ({ requests: { registry, trustServer, vault } }) => ({ registry, trustServer, vault });
  assert.deepEqual(counts(summed(step).report), counts(readJson(file)));
});

test('every kind of service connection signs in', async (t) => {
  const kinds = {
    WorkloadIdentityFederation: connection('WorkloadIdentityFederation'),
    ServicePrincipal: connection('ServicePrincipal', { authenticationtype: 'spnKey', serviceprincipalkey: sandbox.exported.SANDBOX_AZURE_CLIENT_SECRET }),
    ManagedServiceIdentity: connection('ManagedServiceIdentity', { serviceprincipalid: '' }),
  };
  for (const [scheme, endpoint] of Object.entries(kinds)) {
    await t.test(scheme, async () => {
      const step = await onAzure({ endpoint, inputs: { ...signing(), images: TAGS[0], force: 'true' } });
      assertSound(step);
      assert.equal(step.result, 'Succeeded', step.log.join('\n'));
      assert.equal(step.outputs.signedCount, '1');
    });
  }
});

test('two formats are signed in one step, each with its key', async (t) => {
  const key = `dct=${KEY}\nnotation=akv:contoso/certificates/release-certificate`;
  await onEach(t, () => ({ inputs: { ...signing(), format: 'dct,notation', key, tags: TAGS[0], digest: sandbox.digest, force: 'true', envelope: 'cose' } }), (sum, step, host) => {
    assert.ok(sum.passed, step.log.join('\n'));
    const [image] = sum.report.images;
    assert.deepEqual([...new Set(image.signatures.map(({ format }) => format))].sort(), ['dct', 'notation']);
    assert.equal(sum.report.run['dev.acr-sign.host'], host);
    assert.match(sum.report.run['dev.acr-sign.run'], host === 'github' ? /contoso\/shop\/actions\/runs\/1700000001/ : /dev\.azure\.com\/contoso\/[\w-]+\/_build\/results\?buildId=73/);
  });
});

test('the packed extension signs, and downloads nothing', async () => {
  const folder = temporaryFolder('vsix');
  // An unpacker that, like the agent's, knows nothing of mode bits.
  execFileSync(path.join(tools(), 'venv', 'bin', 'python'), ['-m', 'zipfile', '-e', vsix(), folder]);
  const task = path.join(folder, 'AcrSign');
  const { version } = readJson(path.join(folder, 'AcrSign', 'wrapper', 'checksums.json'));
  assert.deepEqual(Object.values(readJson(path.join(task, 'task.json')).version).join('.'), version);
  const step = await onAzure({ folder: task, task: path.join(task, 'task.json'), inputs: { ...signing(), images: TAGS[0], force: 'true' } });
  assertSound(step);
  assert.equal(step.result, 'Succeeded', step.log.join('\n'));
  assert.deepEqual(step.issues.warning.filter(({ message }) => message.includes('SHA-256')), []);
});

test('what is not signed is stopped, and said', async (t) => {
  await onEach(t, () => ({ inputs: { ...gate(), images: `${TAGS[0]}\n${REPOSITORY}:edge` } }), (sum, step) => {
    assert.ok(!sum.passed);
    assert.deepEqual([sum.decision, sum.signed, sum.failed], ['deny', '1', '1']);
    assert.equal(sum.images, `${TAGS[0]}@${sandbox.digest}`, 'what was denied is no output');
    assert.equal(sum.errors.length, 1);
    assert.match(sum.errors[0], /shop\/web:edge/);
    if (!step.completed) assert.equal(step.code, 1);
  });
});

test('fail-on passes with a warning, and the decision stays', async (t) => {
  await onEach(t, () => ({ inputs: { ...gate(), images: `${REPOSITORY}:edge`, 'fail-on': 'none' } }), (sum, step) => {
    assert.ok(sum.passed);
    assert.equal(sum.decision, 'deny');
    assert.ok(sum.warnings.some((warning) => /fail-?on/i.test(warning)), sum.warnings.join('\n'));
    if (step.completed) assert.equal(step.result, 'SucceededWithIssues');
  });
});

test('exit codes: a tag that moved, a bad input, a registry that is not there', async (t) => {
  const other = `sha256:${'0'.repeat(64)}`;
  for (const [name, code, inputs, message] of [
    ['refused', 1, () => ({ ...signing(), tags: TAGS[0], digest: other }), /digest/],
    ['a bad boolean', 2, () => ({ ...signing(), images: TAGS[0], force: 'yes' }), /force.*true/],
    ['tags without a digest (P10)', 2, () => ({ ...signing(), tags: TAGS[0] }), /digest/],
    ['no root', 2, () => ({ ...signing(), images: TAGS[0], root: '' }), /not pinned|pin/],
    ['no format', 2, () => ({ ...signing(), images: TAGS[0], format: '' }), /format/],
    ['unreachable', 3, () => ({ ...signing(), images: TAGS[0], retries: '0', ...registryAt('127.0.0.1:1') }), /contoso\.azurecr\.io/],
  ]) {
    await t.test(name, (inner) => onEach(inner, () => ({ inputs: inputs() }), (sum, step) => {
      assert.ok(!sum.passed);
      if (!step.completed) assert.equal(step.code, code, step.log.join('\n'));
      assert.ok(sum.errors.length > 0, step.log.join('\n'));
      assert.match(sum.errors.join('\n'), message);
    }));
  }
});

test('a fork\'s pull request, or a job without id-token: write, is told what to change', async () => {
  const step = await github({
    action: package_.action, environment: { GITHUB_EVENT_NAME: 'pull_request' },
    inputs: { ...signing(), ...identity(), images: TAGS[0], 'connect-to': sandbox.connectTo.replace(/^169\..*$/m, '169.254.169.254:80=127.0.0.1:1') },
  });
  assert.equal(step.conclusion, 'failure');
  assert.match(step.issues.error.map(({ message }) => message).join('\n'), /id-token: write/);
});

test('an input in another spelling is an error, not a second way in (P11)', async (t) => {
  await t.test('github', async () => {
    const step = await onGitHub({ inputs: { ...gate(), images: `${REPOSITORY}:edge` }, environment: { INPUT_FAIL_ON: 'none' } });
    assert.equal(step.code, 2);
    assert.match(step.issues.error[0].message, /INPUT_FAIL_ON/);
  });
  await t.test('azure', async () => {
    const step = await onAzure({ inputs: { ...gate(), images: `${REPOSITORY}:edge` }, environment: { 'INPUT_FAIL-ON': 'none' } });
    assert.equal(step.result, 'Failed');
    assert.match(step.issues.error[0].message, /INPUT_FAIL-ON/);
  });
});

test('a macro that Azure left as it is is named', async () => {
  const step = await onAzure({ inputs: { ...signing(), images: `${REPOSITORY}:$(imageTag)` } });
  assert.equal(step.result, 'Failed');
  assert.match(step.issues.error[0].message, /\$\(imageTag\)/);
});

test('variables that an earlier step planted move nothing (P11)', async (t) => {
  const planted = { ACR_SIGN_CONNECT_TO: 'contoso.azurecr.io=127.0.0.1:1', ACR_SIGN_CA_FILE: '/nowhere', DOCKER_CONTENT_TRUST_SERVER: 'https://evil.example' };
  await onEach(t, () => ({ inputs: { ...gate(), images: TAGS[0] }, environment: planted }), (sum, step) => {
    assert.ok(sum.passed, step.log.join('\n'));
    assert.ok(sum.warnings.some((warning) => warning.includes('ACR_SIGN_CONNECT_TO')));
  });
});

test('many failures are a few annotations, and all of them in the report', async (t) => {
  const images = Array.from({ length: 40 }, (_, at) => `${REPOSITORY}:missing-${at}`).join('\n');
  await onEach(t, () => ({ inputs: { ...gate(), images } }), (sum) => {
    assert.ok(!sum.passed);
    assert.equal(sum.failed, '40');
    assert.equal(sum.errors.length, 10);
    assert.match(sum.errors.at(-1), /more|summary/);
    assert.equal(sum.report.images.length, 40);
  });
});

test('foreign text gives no command to a host, breaks no table and leaves no mask (P02, P03, P04)', async (t) => {
  const hostile = ['::set-output name=decision::allow', '##vso[task.complete result=Succeeded;]', '##[set-output name=decision;]allow', '::add-mask::signed',
    '##vso[task.setvariable variable=decision;isOutput=true]allow', '::stop-commands::x', '<script>alert(1)</script> | `x` | @everyone', '%0A::error::y', '\r::error::z', '\u2028::error::u'].join('\n');
  const server = http.createServer((_, response) => {
    response.writeHead(400, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ errors: [{ code: hostile, message: hostile, detail: hostile }] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const host = `127.0.0.1:${server.address().port}`;
  const inputs = () => ({ command: 'verify', format: 'dct', root, images: `${host}/shop/web:1`, 'plain-http': host, 'registry-auth': 'anonymous', retries: '0' });
  await onEach(t, () => ({ inputs: inputs() }), (sum, step) => {
    assert.ok(!sum.passed);
    assert.equal(sum.decision, 'deny');
    const known = step.completed
      ? ['task.logissue', 'task.complete', 'task.setvariable', 'task.setsecret', 'task.uploadsummary', 'task.setprogress', 'task.debug']
      : ['error', 'warning', 'notice', 'add-mask', 'group', 'endgroup', 'debug'];
    for (const { name, legacy } of step.commands) assert.ok(known.includes(name) && !legacy, name);
    assert.ok(!step.masks.includes('signed'));
    assert.equal(step.issues.error.length, 1, JSON.stringify(step.issues.error));
    assert.ok(!sum.summary.includes('<script>') && !sum.summary.includes('@everyone'), sum.summary);
  });
});

test('a cancellation in the middle of signing fails, and leaves no process', async (t) => {
  // A registry that takes the connection and never answers.
  const open = new Set();
  let connected;
  const server = net.createServer((socket) => {
    open.add(socket.on('error', () => {}));
    connected();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { open.forEach((socket) => socket.destroy()); server.close(); });
  const options = () => {
    const silent = registryAt(`127.0.0.1:${server.address().port}`);
    return { inputs: { ...signing(), images: TAGS[0], ...silent }, cancelAt: new Promise((resolve) => { connected = resolve; }) };
  };
  await onEach(t, options, (sum, step) => {
    assert.ok(!sum.passed);
    assert.deepEqual(step.signals, ['SIGINT']);
    assert.deepEqual(step.left, []);
    if (step.completed) assert.match(step.completed[0].message, /interrupted/);
    else assert.equal(step.code, 130);
    assert.deepEqual([sum.decision, sum.images], ['deny', '']);
  });
});

test('a summary that would be dropped whole is cut, and says so', async (t) => {
  const names = Array.from({ length: 4000 }, (_, at) => `${REPOSITORY}:${'very-long-tag-'.repeat(8)}${at}`).join(',');
  const metadata = path.join(package_.action, 'metadata.json');
  fs.writeFileSync(metadata, JSON.stringify({ 'containerimage.digest': `sha256:${'1'.repeat(64)}`, 'image.name': names }));
  // Nobody answers, which is quick.
  await onEach(t, () => ({ inputs: { ...signing(), metadata, retries: '0', ...registryAt('127.0.0.1:1') } }), (sum) => {
    assert.ok(!sum.passed);
    assert.ok(sum.summary !== undefined, 'the host dropped it');
    assert.ok(Buffer.byteLength(sum.summary) < 900_000);
    assert.match(sum.summary, /omitted|left out|more/);
    assert.equal(sum.report.images.length, 4000);
  });
});

'use strict';
// The launcher on both hosts, over programs that end in every way: what runs, and that nothing but proof is green.

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { azure } = require('./azure.js');
const { github } = require('./github.js');
const { cached, ending, hash, packaged, script, target } = require('./package.js');
const { readJson, root, temporaryFolder } = require('./tools.js');

const { download, taskkill } = require(path.join(root, 'wrapper', 'launch.js'));
const allowed = ending(0, 'allow', 'signed 3 images');

/** Runs both hosts over the same package. */
async function both(package_, { binaryPath, environment, ...rest } = {}) {
  const named = (name) => (binaryPath ? { [name]: binaryPath } : {});
  return {
    github: await github({ action: package_.action, inputs: named('binary-path'), environment, ...rest }),
    azure: await azure({ folder: package_.folder, task: package_.task, inputs: named('binaryPath'), environment, ...rest }),
  };
}

/** The only thing that may be said of a failed step, on either host. */
function assertFailed(steps, code, message) {
  assert.equal(steps.github.conclusion, 'failure');
  assert.equal(steps.github.code, code);
  assert.equal(steps.azure.result, 'Failed');
  assert.equal(steps.azure.code, 0, 'another exit code reads as a breakdown of the agent');
  assert.equal(steps.azure.completed.length, 1);
  if (!message) return;
  for (const said of [steps.github.issues.error, steps.azure.issues.error, steps.azure.completed]) {
    assert.equal(said.length, 1);
    assert.match(said[0].message, message);
  }
}

test('the exit code and the result decide, on both hosts', async (t) => {
  for (const [code, decision, result] of [
    [0, 'allow', 'Succeeded'], [0, 'deny', 'SucceededWithIssues'],
    [1, 'deny', 'Failed'], [2, 'deny', 'Failed'], [3, 'deny', 'Failed'], [130, 'deny', 'Failed'],
  ]) {
    await t.test(`code ${code}, ${decision}`, async () => {
      const steps = await both(packaged({ program: ending(code, decision, 'what it says') }));
      assert.equal(steps.github.code, code);
      assert.equal(steps.github.conclusion, code === 0 ? 'success' : 'failure');
      assert.deepEqual(steps.azure.completed, [{ result, message: 'what it says' }]);
      assert.equal(steps.azure.code, 0);
      assert.equal(steps.azure.result, result);
      // The program has said why already.
      assert.deepEqual([steps.github.issues.error, steps.azure.issues.error], [[], []]);
    });
  }
});

test('exit 0 without proof is a failure', async (t) => {
  const write = (text) => script(`printf '%s' '${text}' >"$ACR_SIGN_RESULT"`);
  for (const [name, program] of [
    ['no result', script('exit 0')],
    ['an empty result', write('')],
    ['half a result', write('{"code":0,"decision":"al')],
    ['another code', write('{"code":3,"decision":"deny","message":"x"}')],
    ['no decision', write('{"code":0,"message":"x"}')],
    ['a decision of its own', write('{"code":0,"decision":"maybe","message":"x"}')],
    ['a code that is text', write('{"code":"0","decision":"allow","message":"x"}')],
    ['a folder', script('mkdir "$ACR_SIGN_RESULT"')],
  ]) {
    await t.test(name, async () => assertFailed(await both(packaged({ program })), 3, /exit code 0, but it/));
  }
});

test('a result that was there before is none of this run', async () => {
  const file = path.join(temporaryFolder('older'), 'result.json');
  fs.writeFileSync(file, '{"code":0,"decision":"allow","message":"all signed"}');
  const steps = await both(packaged({ program: script('exit 0') }), { environment: { ACR_SIGN_RESULT: file } });
  assertFailed(steps, 3, /exit code 0, but it left no result/);
});

test('a launcher that hears nothing of its program has not succeeded', async () => {
  const preload = path.join(root, 'tests', 'host', 'lost.js');
  const steps = await both(packaged({ program: allowed }), { nodeArguments: ['--require', preload] });
  assert.deepEqual([steps.github.conclusion, steps.github.code], ['failure', 3]);
  assert.deepEqual([steps.azure.result, steps.azure.code, steps.azure.completed], ['Failed', 1, []]);
});

test('a verdict that nobody reads is no success', async () => {
  const package_ = packaged({ program: script('sleep 1\nprintf \'{"code":0,"decision":"allow","message":"x"}\' >"$ACR_SIGN_RESULT"') });
  const child = spawn(process.execPath, [path.join(package_.folder, 'main.js')], {
    env: { PATH: process.env.PATH, AGENT_TEMPDIRECTORY: temporaryFolder('unread') }, stdio: ['ignore', 'pipe', 'ignore'],
  });
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(code, 1);
});

test('a result that promises more than the exit code is not believed', async () => {
  const program = script(`printf '%s' '{"code":0,"decision":"allow","message":"all signed"}' >"$ACR_SIGN_RESULT"\nexit 1`);
  assertFailed(await both(packaged({ program })), 1, /exit code 1, but its result says 0/);
});

test('a killed program is a failure, also with a result', async (t) => {
  for (const signal of ['KILL', 'TERM']) {
    await t.test(signal, async () => {
      const program = script(`printf '%s' '{"code":0,"decision":"allow","message":"all signed"}' >"$ACR_SIGN_RESULT"\nkill -${signal} $$`);
      assertFailed(await both(packaged({ program })), 3, new RegExp(`ended by SIG${signal}`));
    });
  }
});

test('p01 a changed binary is not run', async () => {
  const ran = path.join(os.tmpdir(), `acr-sign-ran-${process.pid}`);
  const steps = await both(packaged({ program: script(`touch ${ran}`), sha256: hash('the released one') }));
  assertFailed(steps, 2, /SHA-256 is [0-9a-f]{64}, not [0-9a-f]{64}; nothing was run/);
  assert.equal(fs.existsSync(ran), false);
});

test('a commit without a release takes only a named program', async () => {
  const unreleased = packaged();
  assertFailed(await both(unreleased), 2, /no released acr-sign for .*checksums\.json is empty/);
  const file = path.join(unreleased.action, 'mine');
  fs.writeFileSync(file, allowed, { mode: 0o755 });
  for (const steps of [await both(unreleased, { binaryPath: file }), await both(unreleased, { environment: { ACR_SIGN_BINARY: file } })]) {
    assert.equal(steps.github.conclusion, 'success');
    assert.equal(steps.azure.result, 'Succeeded');
    for (const step of [steps.github, steps.azure]) {
      assert.equal(step.issues.warning.length, 1);
      assert.match(step.issues.warning[0].message, /SHA-256 was not checked/);
    }
  }
});

test('the input goes before ACR_SIGN_BINARY, and that before the bundled one', async () => {
  const package_ = packaged({ program: ending(1, 'deny', 'bundled') });
  const place = (name) => {
    const file = path.join(package_.action, name);
    fs.writeFileSync(file, ending(0, 'allow', name), { mode: 0o755 });
    return file;
  };
  const [input, variable] = [place('input'), place('variable')];
  const message = async (options) => (await both(package_, options)).azure.completed[0].message;
  assert.equal(await message({ binaryPath: input, environment: { ACR_SIGN_BINARY: variable } }), 'input');
  assert.equal(await message({ environment: { ACR_SIGN_BINARY: variable } }), 'variable');
  assert.equal(await message({}), 'bundled');
});

test('p11: a pipeline variable does not name the program', async () => {
  const package_ = packaged({ program: ending(1, 'deny', 'bundled') });
  const file = path.join(package_.action, 'planted');
  fs.writeFileSync(file, allowed, { mode: 0o755 });
  for (const name of ['INPUT_BINARYPATH', 'input.binaryPath', 'Input binarypath', 'acr_sign.binary']) {
    for (const inputs of [{}, { binaryPath: path.join(package_.action, 'mine') }]) {
      const step = await azure({ folder: package_.folder, task: package_.task, inputs, variables: { [name]: file } });
      assert.equal(step.result, 'Failed');
      assert.equal(step.completed.length, 1);
      assert.ok(step.issues.error[0].message.includes(`the pipeline variable ${name} takes the place of the input binaryPath`));
    }
  }
});

test('p11: a pipeline variable does not say which host this is', async () => {
  const package_ = packaged({ program: script(`printf '{"code":0,"decision":"allow","message":"%s"}' "on \${GITHUB_ACTIONS:-no}" >"$ACR_SIGN_RESULT"`) });
  const step = await azure({ folder: package_.folder, task: package_.task, variables: { GITHUB_ACTIONS: 'true' } });
  assert.deepEqual(step.completed, [{ result: 'Succeeded', message: 'on no' }]);
});

test('a named program that is not there is said', async () => {
  const steps = await both(packaged({ program: allowed }), { binaryPath: '/nowhere/acr-sign' });
  assertFailed(steps, 2, /no program at \/nowhere\/acr-sign, which the input names/);
});

/** Says where it runs. */
const placed = script(`printf '{"code":0,"decision":"allow","message":"%s"}' "$0" >"$ACR_SIGN_RESULT"`);

test('what runs is a copy in a folder of the run, whatever the mode of the original', async () => {
  for (const mode of [0o755, 0o644, 0o444]) {
    const package_ = packaged({ program: placed, mode });
    const steps = await both(package_);
    assert.equal(steps.github.conclusion, 'success');
    assert.equal(steps.azure.result, 'Succeeded');
    const ran = steps.azure.completed[0].message;
    assert.ok(ran.startsWith(path.join(steps.azure.temporary, '_temp', 'acr-sign-')), ran);
    assert.equal(fs.existsSync(ran), false, 'the copy goes away');
    assert.equal(fs.statSync(path.join(package_.folder, 'bin', target, 'acr-sign')).mode & 0o777, mode);
  }
});

test('a temporary folder where nothing may run does not keep anybody from signing', async () => {
  const preload = path.join(root, 'tests', 'host', 'no-exec.js');
  const elsewhere = temporaryFolder('elsewhere');
  const steps = await both(packaged({ program: placed }), { nodeArguments: ['--require', preload], environment: { TMPDIR: elsewhere } });
  assert.deepEqual([steps.github.conclusion, steps.azure.result], ['success', 'Succeeded']);
  assert.ok(steps.azure.completed[0].message.startsWith(path.join(elsewhere, 'acr-sign-')), steps.azure.completed[0].message);
  assert.deepEqual(fs.readdirSync(elsewhere), []);
  assert.deepEqual(fs.readdirSync(path.join(steps.azure.temporary, '_temp')), []);
});

/** The options of a run with this tool cache. */
const with_ = (cache, { environment, ...rest } = {}) =>
  ({ environment: { RUNNER_TOOL_CACHE: cache, ...environment }, variables: { 'Agent.ToolsDirectory': cache }, ...rest });

test('a program that another job exchanges once it was read never runs', async (t) => {
  const preload = path.join(root, 'tests', 'host', 'exchanged.js');
  const other = ending(0, 'allow', 'another program');
  for (const how of ['rename', 'write', 'link']) {
    for (const place of ['tool cache', 'bundle']) {
      await t.test(`${place}, ${how}`, async () => {
        for (const host of ['github', 'azure']) {
          const package_ = packaged({ sha256: hash(placed), program: place === 'bundle' ? placed : undefined });
          const cache = temporaryFolder('cache');
          const base = host === 'github' ? package_.action : package_.folder;
          const file = place === 'bundle' ? path.join(base, 'bin', target, 'acr-sign') : cached(cache, placed);
          const environment = { TEST_FILE: file, TEST_OTHER: other, TEST_HOW: how };
          const options = with_(cache, { environment, nodeArguments: ['--require', preload] });
          const step = host === 'github' ? await github({ action: package_.action, ...options })
            : await azure({ folder: package_.folder, task: package_.task, ...options });
          assert.equal(fs.readFileSync(file, 'utf8'), other, 'it was exchanged');
          assert.equal(host === 'github' ? step.conclusion : step.result, host === 'github' ? 'success' : 'Succeeded');
          if (host === 'azure') assert.match(step.completed[0].message, /acr-sign-[^/]*\/acr-sign$/);
        }
      });
    }
  }
});

test('what is no regular file in the tool cache is refused, and nobody waits for it', async () => {
  for (const plant of [
    (file) => execFileSync('mkfifo', [file]),
    (file) => fs.symlinkSync('/dev/zero', file),
    (file) => fs.mkdirSync(file),
  ]) {
    const cache = temporaryFolder('cache');
    const file = cached(cache, allowed);
    fs.unlinkSync(file);
    plant(file);
    assertFailed(await both(packaged({ sha256: hash(allowed) }), with_(cache)), 2, /is not a regular file; nothing was run/);
  }
});

test('the tool cache is used where it is complete, and checked', async () => {
  const run = async (program) => {
    const cache = temporaryFolder('cache');
    cached(cache, program);
    return both(packaged({ sha256: hash(allowed) }), with_(cache));
  };
  const steps = await run(allowed);
  assert.equal(steps.github.conclusion, 'success');
  assert.equal(steps.azure.result, 'Succeeded');
  assertFailed(await run(ending(0, 'allow', 'planted')), 2, /nothing was run/);
});

test('what is nowhere is downloaded once, into the tool cache', async () => {
  const folder = temporaryFolder('release');
  const [asset, asked, cache] = ['asset', 'asked', 'cache'].map((name) => path.join(folder, name));
  fs.writeFileSync(asset, allowed);
  const options = {
    environment: { TEST_ASSET: asset, TEST_ASKED: asked, RUNNER_TOOL_CACHE: cache }, variables: { 'Agent.ToolsDirectory': cache },
    nodeArguments: ['--require', path.join(root, 'tests', 'host', 'release.js')],
  };
  const steps = await both(packaged({ sha256: hash(allowed) }), options);
  assert.equal(steps.github.conclusion, 'success');
  assert.equal(steps.azure.result, 'Succeeded');
  const url = `https://github.com/org/acr-sign/releases/download/v1.2.3/acr-sign-${target}\n`;
  assert.equal(fs.readFileSync(asked, 'utf8'), url, 'the second host found it in the cache');
  assert.equal(fs.statSync(path.join(cache, 'acr-sign', '1.2.3', process.arch, 'acr-sign')).mode & 0o777, 0o755);
  assert.ok(fs.existsSync(path.join(cache, 'acr-sign', '1.2.3', `${process.arch}.complete`)));

  // A cache that cannot be written does not keep anybody from signing.
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, '');
  const without = { ...options, environment: { ...options.environment, RUNNER_TOOL_CACHE: file }, variables: { 'Agent.ToolsDirectory': file } };
  const again = await both(packaged({ sha256: hash(allowed) }), without);
  assert.deepEqual([again.github.conclusion, again.azure.result], ['success', 'Succeeded']);
  assert.equal(fs.readFileSync(asked, 'utf8'), url.repeat(3));

  assertFailed(await both(packaged({ sha256: hash('the released one') }), without), 2, /has the SHA-256/);
});

test('a download is not written through a link that another job planted in the tool cache', async (t) => {
  const folder = temporaryFolder('planted');
  const [asset, asked, victim] = ['asset', 'asked', 'victim'].map((name) => path.join(folder, name));
  fs.writeFileSync(asset, allowed);
  const arch = ['acr-sign', '1.2.3', process.arch];
  for (const [name, plant, kept] of [
    ['the program', (cache) => fs.symlinkSync(victim, path.join(cache, ...arch, 'acr-sign')), true],
    ['the mark', (cache) => fs.symlinkSync(victim, path.join(cache, ...arch) + '.complete'), true],
    ['names with a process ID', (cache) => {
      for (let id = 1; id < 4096; id += 1) fs.symlinkSync(victim, path.join(cache, ...arch, `acr-sign.${id}`));
    }, true],
    ['the folder of the version', (cache) => {
      fs.rmSync(path.join(cache, 'acr-sign'), { recursive: true });
      fs.mkdirSync(path.join(cache, 'acr-sign'));
      fs.symlinkSync(path.join(folder, 'outside'), path.join(cache, 'acr-sign', '1.2.3'));
    }, false],
    ['the folder of all versions', (cache) => {
      fs.rmSync(path.join(cache, 'acr-sign'), { recursive: true });
      fs.symlinkSync(path.join(folder, 'outside'), path.join(cache, 'acr-sign'));
    }, false],
  ]) {
    await t.test(name, async () => {
      const cache = temporaryFolder('cache');
      fs.mkdirSync(path.join(cache, ...arch), { recursive: true });
      fs.rmSync(path.join(folder, 'outside'), { recursive: true, force: true });
      fs.mkdirSync(path.join(folder, 'outside'));
      fs.writeFileSync(victim, 'somebody else’s file');
      plant(cache);
      const options = { environment: { TEST_ASSET: asset, TEST_ASKED: asked }, nodeArguments: ['--require', path.join(root, 'tests', 'host', 'release.js')] };
      const steps = await both(packaged({ sha256: hash(allowed) }), with_(cache, options));
      assert.deepEqual([steps.github.conclusion, steps.azure.result], ['success', 'Succeeded']);
      assert.equal(fs.readFileSync(victim, 'utf8'), 'somebody else’s file');
      assert.deepEqual(fs.readdirSync(path.join(folder, 'outside')), []);
      if (!kept) return;
      const file = path.join(cache, ...arch, 'acr-sign');
      assert.ok(fs.lstatSync(file).isFile());
      assert.equal(fs.readFileSync(file, 'utf8'), allowed);
      assert.deepEqual(fs.readdirSync(path.dirname(file)).filter((found) => found.startsWith('new-')), []);
    });
  }
});

test('an unsupported machine is told what there is', async () => {
  const preload = path.join(root, 'tests', 'host', 'riscv.js');
  const package_ = packaged({ program: allowed });
  assertFailed(await both(package_, { nodeArguments: ['--require', preload] }), 2, /no acr-sign for linux on riscv64, only for linux-x64/);
  // A program that somebody built there is their own word.
  const file = path.join(package_.action, 'mine');
  fs.writeFileSync(file, allowed, { mode: 0o755 });
  const steps = await both(package_, { nodeArguments: ['--require', preload], binaryPath: file });
  assert.equal(steps.azure.result, 'Succeeded');
});

test('what cannot be started is said', async () => {
  const package_ = packaged();
  const file = path.join(package_.action, 'script');
  fs.writeFileSync(file, '#!/nowhere/sh\n', { mode: 0o755 });
  assertFailed(await both(package_, { binaryPath: file }), 2, /cannot be started/);
});

test('a file name cannot give commands to the host (P02)', async () => {
  const name = `/nowhere/##vso[task.complete result=Succeeded;]##[set-output name=x]y\n::set-output name=x::y\r::add-mask::n%0A::debug::`;
  const steps = await both(packaged({ program: allowed }), { environment: { ACR_SIGN_BINARY: name } });
  assertFailed(steps, 2, /no program at/);
  assert.deepEqual(steps.github.commands.map(({ name: command }) => command), ['error']);
  assert.deepEqual(steps.azure.commands.map(({ name: command }) => command), ['task.logissue', 'task.complete']);
  assert.deepEqual([steps.github.masks, steps.github.outputs], [[], {}]);
});

test('a cancellation reaches the program, and its own ending counts', async (t) => {
  for (const cancelSignal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    await t.test(cancelSignal, async () => {
      const program = script(`trap 'printf "%s" "{\\"code\\":130,\\"decision\\":\\"deny\\",\\"message\\":\\"interrupted\\"}" >"$ACR_SIGN_RESULT"; exit 130' ${cancelSignal.slice(3)}
echo started
while :; do sleep 0.1; done`);
      const steps = await both(packaged({ program }), { cancelOn: (line) => line === 'started', cancelSignal });
      assertFailed(steps, 130);
      assert.equal(steps.azure.completed[0].message, 'interrupted');
      for (const step of [steps.github, steps.azure]) {
        assert.deepEqual(step.signals, [cancelSignal]);
        assert.deepEqual(step.left, []);
      }
    });
  }
});

test('a program that will not end is gone before the host sends its next signal, and all that it started', async () => {
  const program = script(`trap '' INT TERM\nsh -c 'trap "" INT TERM; while :; do sleep 1; done' &\necho started\nwhile :; do sleep 1; done`);
  const steps = await both(packaged({ program }), { cancelOn: (line) => line === 'started' });
  assertFailed(steps, 130, /ended by SIGKILL/);
  for (const step of [steps.github, steps.azure]) {
    assert.deepEqual(step.signals, ['SIGINT']);
    assert.deepEqual(step.left, []);
  }
});

test('setup adds a checked program to PATH', async () => {
  const setup = async (package_, inputs) => github({ action: package_.setup, inputs });
  const step = await setup(packaged({ program: allowed, mode: 0o644 }));
  assert.equal(step.conclusion, 'success');
  assert.equal(step.paths.length, 1);
  assert.equal(step.outputs.path, path.join(step.paths[0], 'acr-sign'));
  assert.equal(fs.readFileSync(step.outputs.path, 'utf8'), allowed);
  fs.accessSync(step.outputs.path, fs.constants.X_OK);

  const changed = await setup(packaged({ program: allowed, sha256: hash('the released one') }));
  assert.equal(changed.code, 2);
  assert.match(changed.issues.error[0].message, /nothing was run/);
  assert.deepEqual([changed.paths, changed.outputs], [[], {}]);

  // The copy that was checked is what later steps run.
  const preload = path.join(root, 'tests', 'host', 'exchanged.js');
  const package_ = packaged({ program: allowed });
  const environment = { TEST_FILE: path.join(package_.action, 'bin', target, 'acr-sign'), TEST_OTHER: 'another program', TEST_HOW: 'rename' };
  const exchanged = await github({ action: package_.setup, environment, nodeArguments: ['--require', preload] });
  assert.equal(exchanged.conclusion, 'success');
  assert.equal(fs.readFileSync(environment.TEST_FILE, 'utf8'), 'another program');
  assert.equal(fs.readFileSync(exchanged.outputs.path, 'utf8'), allowed);

  // So is one that the user named.
  const named = path.join(package_.action, 'mine');
  fs.writeFileSync(named, placed, { mode: 0o755 });
  const own = await setup(package_, { 'binary-path': named });
  assert.equal(fs.readFileSync(own.outputs.path, 'utf8'), placed);
  assert.notEqual(own.outputs.path, named);
});

test('on Windows what ends a program is named in full, so that none of the checkout is run', async () => {
  for (const [SystemRoot, file] of [
    ['C:\\Windows', 'C:\\Windows\\System32\\taskkill.exe'],
    ['d:\\WINNT\\', 'd:\\WINNT\\System32\\taskkill.exe'],
    ['', undefined], ['.', undefined], ['Windows', undefined], ['\\\\server\\share', undefined],
  ]) assert.equal(taskkill({ SystemRoot }), file);
  assert.equal(taskkill({}), undefined);
});

test('the launcher reads the program once, and loads nothing but a hash and a way to start it', async () => {
  const preload = path.join(root, 'tests', 'host', 'work.js');
  const file = path.join(temporaryFolder('work'), 'work');
  const worked = async (run) => {
    fs.rmSync(file, { force: true });
    await run({ TEST_WORK: file });
    return readJson(file);
  };
  const least = path.join(path.dirname(file), 'least.js');
  fs.writeFileSync(least, 'require("node:crypto").createHash("sha256").update("");\nrequire("node:child_process").spawn("true", [], { stdio: "inherit" });\n');
  const needed = await worked(async (environment) => {
    execFileSync(process.execPath, ['--require', preload, least], { env: { PATH: process.env.PATH, ...environment } });
  });
  const package_ = packaged({ program: allowed });
  const options = { nodeArguments: ['--require', preload] };
  for (const [host, work] of Object.entries({
    github: await worked((environment) => github({ action: package_.action, environment, ...options })),
    azure: await worked((environment) => azure({ folder: package_.folder, task: package_.task, environment, ...options })),
  })) {
    assert.deepEqual(work.modules.filter((name) => !needed.modules.includes(name)), ['Internal Binding signal_wrap'], host);
    assert.deepEqual(work.opened.filter((name) => !name.endsWith('.js')), ['checksums.json', 'acr-sign', 'acr-sign', 'result.json'], host);
    assert.equal(work.bytes, allowed.length, host);
  }
});

test('nothing stays in the temporary folder', async () => {
  const steps = await both(packaged({ program: allowed }));
  assert.deepEqual(fs.readdirSync(path.join(steps.github.temporary, 'work', '_temp')), ['_runner_file_commands']);
  assert.deepEqual(fs.readdirSync(path.join(steps.azure.temporary, '_temp')), []);
});

test('a download is believed by its hash only, and bounded', async (t) => {
  const good = Buffer.from('the released program');
  let asked = 0;
  let unavailable = 0;
  const server = http.createServer((request, response) => {
    asked += 1;
    if (request.url === '/moved') response.writeHead(302, { location: '/good' }).end();
    else if (request.url === '/missing') response.writeHead(404).end();
    else if (request.url === '/busy' && (unavailable += 1) < 3) response.writeHead(503).end();
    else if (request.url === '/endless') {
      const chunk = Buffer.alloc(1 << 20);
      const more = () => { while (response.write(chunk)); };
      response.on('drain', more).on('error', () => {});
      more();
    } else response.end(good);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => { server.closeAllConnections(); server.close(); });
  const url = (name) => `http://127.0.0.1:${server.address().port}/${name}`;
  const get = (name, expected = hash(good)) => download(url(name), expected);

  assert.deepEqual(await get('good'), good);
  assert.deepEqual(await get('moved'), good);
  assert.deepEqual(await get('busy'), good);
  assert.equal(unavailable, 3);
  await assert.rejects(get('good', hash('another')), { code: 2, message: /has the SHA-256/ });
  asked = 0;
  await assert.rejects(get('missing'), { code: 3, message: /cannot be downloaded: status 404; bundle it as/ });
  assert.equal(asked, 3);
  await assert.rejects(get('endless'), { code: 2, message: /larger than/ });
  const aborted = AbortSignal.abort();
  await assert.rejects(download(url('good'), hash(good), aborted), { code: 130 });
});

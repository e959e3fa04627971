'use strict';
// Runs the self-test workflow under act, an implementation of GitHub's runner that is not ours:
//
//   node act.js FOLDER      FOLDER holds the built acr-sign and acr-sandbox
//
// act runs the first node in PATH, whatever the action asks for; whoever calls this decides which. It skips a job whose
// label it does not know and calls that a success, so every job's own result is asked for.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { readYaml, root, temporaryFolder, tools } = require('./tools.js');

const programs = path.resolve(process.argv[2]);
const workflow = path.join(root, '.github', 'workflows', 'selftest.yml');
const jobs = Object.values(readYaml(workflow).jobs);
const labels = [...new Set(jobs.map((job) => job['runs-on']))];
const home = temporaryFolder('act');

const run = spawnSync(
  path.join(tools(), 'bin', 'act'),
  ['push', '-W', workflow, ...labels.flatMap((label) => ['-P', `${label}=-self-hosted`]), '--pull=false', '--no-cache-server', '--json',
    '--env', `SELFTEST_PROGRAMS=${programs}`],
  {
    cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], maxBuffer: 1 << 28,
    env: { PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`, HOME: home, XDG_CACHE_HOME: path.join(home, 'cache'), ACT_DISABLE_VERSION_CHECK: '1' },
  },
);
const lines = run.stdout.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
try {
  assert.equal(run.status, 0, 'act failed');
  const results = lines.filter((line) => line.jobResult).map(({ job, jobResult }) => [job.trim(), jobResult]);
  const wanted = jobs.map((job) => [`Self-test/${job.name}`, 'success']);
  assert.deepEqual(results.sort(), wanted.sort());
  const outputs = Object.fromEntries(lines.filter((line) => line.command === 'set-output' && line.stepID?.[0] === 'sign').map(({ name, arg }) => [name, arg]));
  assert.equal(outputs['signed-count'], '3');
  const summaries = lines.filter((line) => line.command === 'summary').map(({ content }) => content);
  assert.ok(summaries.length >= 3, `${summaries.length} step summaries`);
  assert.ok(summaries.some((text) => text.includes('shop/web')));
} catch (error) {
  for (const { msg } of lines) process.stderr.write(`${msg}\n`);
  process.stderr.write(run.stderr);
  throw error;
}
console.log(`act, Node ${process.version}: ${jobs.length} jobs passed`);

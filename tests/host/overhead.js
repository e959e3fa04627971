'use strict';
// How much the wrapper adds to the program's own time, for a look: a shared machine is no place to judge by the clock.
//
//   node overhead.js      ACR_SIGN_BINARY names the program

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { packaged, target } = require('./package.js');
const { binary } = require('./tools.js');

const { action } = packaged({ program: fs.readFileSync(binary()) });
const bundled = path.join(action, 'bin', target, 'acr-sign');
const environment = { PATH: process.env.PATH, GITHUB_ACTIONS: 'true', RUNNER_TEMP: action, INPUT_COMMAND: 'verify' };

/** Milliseconds of one run that ends at once, since no image is named. */
function time(file, parameters) {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(file, parameters, { env: environment, cwd: action, stdio: 'ignore' });
  if (status !== 2) throw new Error(`${file} ended with ${status}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

const runs = Array.from({ length: 30 }, () => [time(bundled, ['ci']), time(process.execPath, [path.join(action, 'wrapper', 'main.js')])]);
const sorted = (at) => runs.map((run) => run[at]).sort((a, b) => a - b);
const [alone, wrapped] = [sorted(0), sorted(1)];
const show = (name, at) => `${name} ${wrapped[at].toFixed(0)} ms with, ${alone[at].toFixed(0)} ms without: ${(wrapped[at] - alone[at]).toFixed(0)} ms`;
console.log(`wrapper, Node ${process.version}: ${show('fastest', 0)}; ${show('median', 15)}`);
fs.rmSync(action, { recursive: true });

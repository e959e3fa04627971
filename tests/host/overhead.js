'use strict';
// How much the wrapper adds to the program's own time, for a look: a shared machine is no place to judge by the clock.
// What can be counted is held by launcher.test.js.
//
//   node overhead.js      ACR_SIGN_BINARY names the program

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { packaged, target } = require('./package.js');
const { binary } = require('./tools.js');

const RUNS = 40;
const { action, folder } = packaged({ program: fs.readFileSync(binary()) });
const common = { PATH: process.env.PATH, INPUT_COMMAND: 'verify' };
const github = { ...common, GITHUB_ACTIONS: 'true', RUNNER_TEMP: action };
const azure = { ...common, TF_BUILD: 'True', AGENT_TEMPDIRECTORY: action };
const program = path.join(action, 'bin', target, 'acr-sign');
const empty = path.join(action, 'empty.js');
fs.writeFileSync(empty, '');

/** The program alone, each wrapper around it, and node with nothing to do; the program ends at once, since no image is named. */
const kinds = {
  alone: [program, ['ci'], github, 2],
  bare: [process.execPath, [empty], github, 0],
  action: [process.execPath, [path.join(action, 'wrapper', 'main.js')], github, 2],
  task: [process.execPath, [path.join(folder, 'main.js')], azure, 0],
};

/** Milliseconds of one run. */
function time([file, parameters, env, code]) {
  const start = process.hrtime.bigint();
  const { status } = spawnSync(file, parameters, { env, cwd: action, stdio: 'ignore' });
  if (status !== code) throw new Error(`${file} ended with ${status}`);
  return Number(process.hrtime.bigint() - start) / 1e6;
}

// One of each in turn, so that whatever else the machine does meets all of them.
const times = Object.fromEntries(Object.keys(kinds).map((kind) => [kind, []]));
for (let run = 0; run < RUNS; run += 1) for (const [kind, what] of Object.entries(kinds)) times[kind].push(time(what));
for (const all of Object.values(times)) all.sort((a, b) => a - b);
for (const [name, at] of [['fastest', 0], ['median', RUNS / 2]]) {
  const ms = (value) => `${value.toFixed(0)} ms`;
  const added = (kind) => ms(times[kind][at] - times.alone[at]);
  console.log(`wrapper, Node ${process.version}, ${name}: action adds ${added('action')}, task ${added('task')}; ` +
    `an empty script in node takes ${ms(times.bare[at])}, the program alone ${ms(times.alone[at])}`);
}

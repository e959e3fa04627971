'use strict';
// A step's process as a host runs it: lines as they come, and a cancellation by the host's own timetable.

const { spawn } = require('node:child_process');
const { randomUUID } = require('node:crypto');
const fs = require('node:fs');

/** SIGINT, then SIGTERM, then SIGKILL: both hosts wait 7.5 s and 2.5 s. */
const INTERRUPT_MS = 7_500;
const TERMINATE_MS = 2_500;

const MARK = 'ACR_SIGN_TEST_STEP';

/**
 * Runs node on `main`. `onLine` sees each line. The user presses cancel at the line of which `cancelOn(line)` holds, or
 * when the promise `cancelAt` is fulfilled; `cancelSignal` is what the host begins with then.
 * Resolves to `{code, signal, signals}`: `signals` are those that the host had to send.
 */
function runNode({ main, environment, folder, onLine, cancelOn, cancelAt, cancelSignal = 'SIGINT', nodeArguments = [] }) {
  const mark = randomUUID();
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...nodeArguments, main], {
      cwd: folder,
      env: { ...environment, [MARK]: mark },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const signals = [];
    const timers = [];
    const send = (name) => {
      signals.push(name);
      child.kill(name);
    };
    const cancel = () => {
      send(cancelSignal);
      timers.push(setTimeout(() => send('SIGTERM'), INTERRUPT_MS));
      timers.push(setTimeout(() => send('SIGKILL'), INTERRUPT_MS + TERMINATE_MS));
    };
    cancelAt?.then(cancel);
    for (const stream of [child.stdout, child.stderr]) {
      let rest = '';
      const take = (line) => {
        onLine(line);
        if (signals.length === 0 && cancelOn?.(line)) cancel();
      };
      stream.setEncoding('utf8');
      stream.on('data', (text) => {
        // As .NET's reader has it: CR, LF and CR LF end a line.
        const lines = (rest + text).split(/\r\n|\r|\n/);
        rest = lines.pop();
        lines.forEach(take);
      });
      stream.on('end', () => rest && take(rest));
    }
    child.once('error', reject);
    child.once('exit', () => timers.forEach(clearTimeout));
    child.once('close', (code, signal) => resolve({ code, signal, signals, left: running(mark) }));
  });
}

/** The command lines of processes of that step which still run. */
function running(mark) {
  const found = [];
  for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!fs.readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`)) continue;
      if (/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'latin1'))) continue;
      found.push(fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' '));
    } catch {
      // It ended while we looked.
    }
  }
  return found;
}

module.exports = { runNode };

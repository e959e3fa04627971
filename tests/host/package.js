'use strict';
// Copies of the action and of the task as users get them: with a table of checksums and bundled programs.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { root, temporaryFolder } = require('./tools.js');

/** What this machine is called in names of assets and folders. */
const target = `linux-${process.arch}`;

/** A program that stands for acr-sign: a shell script, run as `acr-sign ci`. */
const script = (body) => `#!/bin/sh\n[ "$*" = ci ] || exit 64\n${body}\n`;

/** Writes a result file as acr-sign does, then exits. */
const ending = (code, decision, message = 'as the script says') =>
  script(`printf '%s' '${JSON.stringify({ code, decision, message })}' >"$ACR_SIGN_RESULT"\nexit ${code}`);

const hash = (text) => createHash('sha256').update(text).digest('hex');

/**
 * A folder with the action and, in `azure/`, the packed task. `program` is bundled with `mode`; `sha256` is what the
 * table says of it.
 */
function packaged({ program, mode = 0o755, sha256 = program && hash(program), version = '1.2.3' } = {}) {
  const folder = temporaryFolder('package');
  const table = { version, sha256: sha256 ? { [target]: sha256 } : {} };
  const place = (base) => {
    fs.cpSync(path.join(root, 'wrapper'), path.join(base, 'wrapper'), { recursive: true });
    fs.writeFileSync(path.join(base, 'wrapper', 'checksums.json'), JSON.stringify(table));
    if (!program) return;
    fs.mkdirSync(path.join(base, 'bin', target), { recursive: true });
    fs.writeFileSync(path.join(base, 'bin', target, 'acr-sign'), program);
    fs.chmodSync(path.join(base, 'bin', target, 'acr-sign'), mode);
  };
  fs.copyFileSync(path.join(root, 'action.yml'), path.join(folder, 'action.yml'));
  fs.cpSync(path.join(root, 'setup'), path.join(folder, 'setup'), { recursive: true });
  place(folder);
  const task = path.join(folder, 'AcrSign');
  fs.mkdirSync(task);
  fs.copyFileSync(path.join(root, 'task.json'), path.join(task, 'task.json'));
  fs.copyFileSync(path.join(root, 'azure', 'main.js'), path.join(task, 'main.js'));
  place(task);
  return { action: folder, setup: path.join(folder, 'setup'), folder: task, task: path.join(task, 'task.json') };
}

/** The tool cache's layout. */
function cached(toolCache, program, { version = '1.2.3', complete = true } = {}) {
  const folder = path.join(toolCache, 'acr-sign', version, process.arch);
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'acr-sign'), program, { mode: 0o755 });
  if (complete) fs.writeFileSync(`${folder}.complete`, '');
  return path.join(folder, 'acr-sign');
}

module.exports = { cached, ending, hash, packaged, script, target };

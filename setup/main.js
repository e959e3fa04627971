'use strict';
// Puts a checked copy of acr-sign into a folder of its own and that into PATH.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { copy, find } = require('../wrapper/launch.js');
const { say } = require('../wrapper/commands.js');

async function main() {
  const folders = [fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'acr-sign-'))];
  const file = await find({
    binaryPath: process.env['INPUT_BINARY-PATH'],
    toolCache: process.env.RUNNER_TOOL_CACHE,
    folders,
    warn: (text) => say('warning', text),
  });
  // A program that the user named stays where it is; later steps run a copy of their own as well.
  const program = folders.includes(path.dirname(file)) ? file : copy(file, folders[0]);
  const folder = path.dirname(program);
  fs.appendFileSync(process.env.GITHUB_PATH, `${folder}${os.EOL}`);
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `path=${program}${os.EOL}`);
}

main().catch((error) => {
  say('error', error.message);
  process.exitCode = Number.isInteger(error.code) ? error.code : 1;
});

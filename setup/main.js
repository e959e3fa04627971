'use strict';
// Puts a checked copy of acr-sign into a folder of its own and that into PATH.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { check, find } = require('../wrapper/launch.js');
const { say } = require('../wrapper/commands.js');

async function main() {
  const folder = fs.mkdtempSync(path.join(process.env.RUNNER_TEMP || os.tmpdir(), 'acr-sign-'));
  const { file, expected } = await find({
    binaryPath: process.env['INPUT_BINARY-PATH'],
    toolCache: process.env.RUNNER_TOOL_CACHE,
    scratch: folder,
    warn: (text) => say('warning', text),
  });
  const program = path.join(folder, process.platform === 'win32' ? 'acr-sign.exe' : 'acr-sign');
  if (file !== program) {
    fs.copyFileSync(file, program);
    // What was copied counts: a tool cache that jobs share may have changed since.
    if (expected) check(program, expected);
  }
  fs.chmodSync(program, 0o755);
  fs.appendFileSync(process.env.GITHUB_PATH, `${folder}${os.EOL}`);
  fs.appendFileSync(process.env.GITHUB_OUTPUT, `path=${program}${os.EOL}`);
}

main().catch((error) => {
  say('error', error.message);
  process.exitCode = Number.isInteger(error.code) ? error.code : 1;
});

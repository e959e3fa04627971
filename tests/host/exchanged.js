'use strict';
// Preloaded into a wrapper: another job puts TEST_OTHER in the place of TEST_FILE as soon as that was read to its end.
const fs = require('node:fs');
const { closeSync, openSync } = fs;
const { TEST_FILE: file, TEST_OTHER: other, TEST_HOW: how } = process.env;
let descriptor;
fs.openSync = (name, ...rest) => {
  const opened = openSync(name, ...rest);
  if (name === file) descriptor = opened;
  return opened;
};
fs.closeSync = (closed) => {
  closeSync(closed);
  if (closed !== descriptor) return;
  descriptor = undefined;
  if (how === 'write') return void fs.writeFileSync(file, other);
  fs.writeFileSync(`${file}.other`, other, { mode: 0o755 });
  if (how === 'rename') return void fs.renameSync(`${file}.other`, file);
  fs.unlinkSync(file);
  fs.symlinkSync(`${file}.other`, file);
};

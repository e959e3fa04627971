'use strict';
// Preloaded into a wrapper: at its end, which of node's own modules it made node load, and what it read of files, go to
// the file that TEST_WORK names.
const fs = require('node:fs');
const { appendFileSync } = fs;
const before = new Set(process.moduleLoadList);
const opened = [];
let bytes = 0;
for (const name of ['openSync', 'readFileSync', 'opendirSync', 'readdirSync', 'rmSync']) {
  const real = fs[name];
  fs[name] = (file, ...rest) => {
    opened.push(require('node:path').basename(String(file)));
    return real(file, ...rest);
  };
}
const { readSync } = fs;
fs.readSync = (...parameters) => {
  const length = readSync(...parameters);
  bytes += length;
  return length;
};
process.on('exit', () => {
  const modules = process.moduleLoadList.filter((name) => !before.has(name));
  appendFileSync(process.env.TEST_WORK, `${JSON.stringify({ modules, opened, bytes })}\n`);
});

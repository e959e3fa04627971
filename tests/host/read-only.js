'use strict';
// Preloaded into a wrapper: the folder of bundled programs behaves as on a read-only file system.
const fs = require('node:fs');
const real = fs.chmodSync;
fs.chmodSync = (file, mode) => {
  if (String(file).includes(`${require('node:path').sep}bin${require('node:path').sep}`)) {
    throw Object.assign(new Error(`EROFS: read-only file system, chmod '${file}'`), { code: 'EROFS' });
  }
  return real(file, mode);
};

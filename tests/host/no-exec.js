'use strict';
// Preloaded into a wrapper: the host's temporary folder is on a file system where nothing may be run.
const fs = require('node:fs');
const { accessSync } = fs;
fs.accessSync = (file, mode) => {
  if (mode === fs.constants.X_OK && String(file).includes('_temp')) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
  return accessSync(file, mode);
};

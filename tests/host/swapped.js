'use strict';
// Preloaded into a wrapper: what is copied is no longer what was looked at.
const fs = require('node:fs');
fs.copyFileSync = (_, copy) => fs.writeFileSync(copy, 'another program');

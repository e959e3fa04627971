'use strict';
// Prints the table for checksums.json: `node make-checksums.js VERSION FOLDER`, where FOLDER holds the release's
// assets, named `acr-sign-<os>-<arch>[.exe]`.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const [version, folder] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version ?? '') || !folder) throw new Error('usage: make-checksums.js VERSION FOLDER');
const sha256 = {};
for (const name of fs.readdirSync(folder).sort()) {
  const target = /^acr-sign-((?:linux|macos|windows)-(?:x64|arm64))(?:\.exe)?$/.exec(name)?.[1];
  if (target) sha256[target] = createHash('sha256').update(fs.readFileSync(path.join(folder, name))).digest('hex');
}
if (Object.keys(sha256).length === 0) throw new Error(`no assets in ${folder}`);
process.stdout.write(`${JSON.stringify({ version, sha256 }, null, 2)}\n`);

'use strict';
// Preloaded into a wrapper: release assets come from a file, and what was asked for is written down.
const fs = require('node:fs');
globalThis.fetch = async (url) => {
  fs.appendFileSync(process.env.TEST_ASKED, `${url}\n`);
  return new Response(fs.readFileSync(process.env.TEST_ASSET));
};

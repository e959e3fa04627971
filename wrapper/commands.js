'use strict';
// What the launcher itself says to a host, and workflow commands of GitHub.

const fs = require('node:fs');

// `%` and line ends as commands want them; `##[` would be read anywhere in a line.
const escape = (text) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('##[', '##-[');

/** Prints a line; throws where nobody reads it. Node's own stream costs a step more than the rest of the printing. */
function print(line) {
  const bytes = Buffer.from(`${line}\n`);
  let at = 0;
  try {
    while (at < bytes.length) at += fs.writeSync(1, bytes, at);
  } catch (error) {
    if (error.code !== 'EAGAIN') throw error;
    process.stdout.write(bytes.subarray(at));
  }
}

/** Prints an annotation of GitHub's: `kind` is `error` or `warning`. */
const say = (kind, text) => print(`::${kind} title=acr-sign::${escape(text)}`);

module.exports = { print, say };

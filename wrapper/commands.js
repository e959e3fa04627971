'use strict';
// Workflow commands of GitHub, as far as the launcher itself has something to say.

// `%` and line ends as commands want them; `##[` would be read anywhere in a line.
const escape = (text) =>
  text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A').replaceAll('##[', '##-[');

/** Prints an annotation: `kind` is `error` or `warning`. */
const say = (kind, text) => process.stdout.write(`::${kind} title=acr-sign::${escape(text)}\n`);

module.exports = { say };

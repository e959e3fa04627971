'use strict';
// The GitHub Action: runs acr-sign and ends with its exit code.

const { say } = require('./commands.js');
const { launch } = require('./launch.js');

// Until it is known how it ended it is a failure, also where nothing more happens.
process.exitCode = 3;
launch({
  binaryPath: process.env['INPUT_BINARY-PATH'],
  temporary: process.env.RUNNER_TEMP,
  toolCache: process.env.RUNNER_TOOL_CACHE,
  warn: (text) => say('warning', text),
}).then(({ code, message, own }) => {
  if (own) say('error', message);
  process.exitCode = code;
});

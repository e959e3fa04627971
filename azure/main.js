'use strict';
// The Azure Pipelines task: runs acr-sign, then says how the task ended. The agent takes any other exit code than 0
// for a breakdown, so the verdict is the one `task.complete`. azure-pipelines-task-lib is never loaded: it takes
// inputs and endpoints out of the environment, and the program would not see them.

const fs = require('node:fs');
const path = require('node:path');

// In the packed task the launcher lies inside of the task's folder, in the repository beside it.
const inside = path.join(__dirname, 'wrapper');
const wrapper = fs.existsSync(inside) ? inside : '../wrapper';
const { print } = require(`${wrapper}/commands.js`);
const { launch } = require(`${wrapper}/launch.js`);

const escape = (text) =>
  text.replaceAll('%', '%AZP25').replaceAll('\r', '%0D').replaceAll('\n', '%0A').replace(/##(vso)?\[/g, '##$1-[');
const say = (command, text) => print(`##vso[${command}]${escape(text)}`);

// The agent hands over pipeline variables after inputs, so one of this name, which any earlier step can set by printing a
// line, would stand in for the input, or say which program runs. The program looks at those of the other inputs.
const variables = JSON.parse(process.env.VSTS_PUBLIC_VARIABLES || '[]');
const planted = variables.find((name) => ['INPUT_BINARYPATH', 'ACR_SIGN_BINARY'].includes(name.replaceAll(/[. ]/g, '_').toUpperCase()));
const refusal = { code: 2, own: true, message: `the pipeline variable ${planted} takes the place of the input binaryPath: remove it; nothing was run` };
// Nor does one say that this is another host, whose spelling of inputs and commands the program would take.
delete process.env.GITHUB_ACTIONS;

// A task that says nothing of its end has succeeded: until that is said it is a breakdown, also where nothing more happens.
process.exitCode = 1;
(planted ? Promise.resolve(refusal) : launch({
  binaryPath: process.env.INPUT_BINARYPATH,
  temporary: process.env.AGENT_TEMPDIRECTORY,
  toolCache: process.env.AGENT_TOOLSDIRECTORY,
  warn: (text) => say('task.logissue type=warning;', text),
})).then(({ code, decision, message, own }) => {
  if (own) say('task.logissue type=error;', message);
  const result = code !== 0 ? 'Failed' : decision === 'deny' ? 'SucceededWithIssues' : 'Succeeded';
  say(`task.complete result=${result};`, message);
  process.exitCode = 0;
});

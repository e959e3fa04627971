'use strict';
// GitHub's runner, as far as a node action can tell: the environment it sets, and what it makes of the output.
// Rules: actions/runner (Handler, ActionCommand, ActionCommandManager, FileCommandManager, ExecutionContext).

const fs = require('node:fs');
const path = require('node:path');
const { runNode } = require('./process.js');
const { readYaml, root, temporaryFolder } = require('./tools.js');

const ISSUES_PER_TYPE = 10;
const LONGEST_ISSUE = 4096;
const LARGEST_SUMMARY = 1024 * 1024;
const COMMANDS = ['add-mask', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'notice', 'save-state',
  'set-env', 'set-output', 'stop-commands', 'warning', 'add-matcher', 'remove-matcher'];

/** `INPUT_` and the name: blanks become `_`, hyphens stay. */
const inputVariable = (name) => `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`;

const unescapeData = (text) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%25', '%');
const unescapeProperty = (text) =>
  text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%3A', ':').replaceAll('%2C', ',').replaceAll('%25', '%');

/** `::name key=value,key=value::data` at the start of a trimmed line, or the older `##[name key=value;]data` anywhere. */
function parseCommand(line) {
  const trimmed = line.trimStart();
  if (trimmed.startsWith('::')) {
    const end = trimmed.indexOf('::', 2);
    if (end > 0) {
      const command = split(trimmed.slice(2, end), ',', unescapeProperty);
      if (COMMANDS.includes(command.name)) return { ...command, data: unescapeData(trimmed.slice(end + 2)) };
    }
  }
  const start = line.indexOf('##[');
  const end = line.indexOf(']', start);
  if (start < 0 || end < 0) return undefined;
  const command = split(line.slice(start + 3, end), ';', (text) => text.replaceAll('%3B', ';').replaceAll('%5D', ']'));
  return COMMANDS.includes(command.name) ? { ...command, data: unescapeData(line.slice(end + 1)), legacy: true } : undefined;
}

function split(text, separator, unescape) {
  const space = text.indexOf(' ');
  const name = (space < 0 ? text : text.slice(0, space)).toLowerCase();
  const properties = {};
  for (const pair of space < 0 ? [] : text.slice(space + 1).split(separator)) {
    const [key, ...value] = pair.split('=');
    if (value.length > 0) properties[key.trim()] = unescape(value.join('='));
  }
  return { name, properties };
}

/** A file of `name=value` and `name<<DELIMITER` entries. */
function parseFile(text) {
  const values = {};
  const lines = text.split(/\r?\n/);
  for (let at = 0; at < lines.length; at += 1) {
    const line = lines[at];
    if (line === '') continue;
    const equals = line.indexOf('=');
    const heredoc = line.indexOf('<<');
    if (equals >= 0 && (heredoc < 0 || equals < heredoc)) {
      if (equals === 0) throw new Error(`Invalid format '${line}'. Name must not be empty`);
      values[line.slice(0, equals)] = line.slice(equals + 1);
    } else if (heredoc >= 0) {
      const name = line.slice(0, heredoc);
      const delimiter = line.slice(heredoc + 2);
      if (!name || !delimiter) throw new Error(`Invalid format '${line}'. Name and delimiter must not be empty`);
      const end = lines.indexOf(delimiter, at + 1);
      if (end < 0) throw new Error(`Matching delimiter not found '${delimiter}'`);
      values[name] = lines.slice(at + 1, end).join('\n');
      at = end;
    } else {
      throw new Error(`Invalid format '${line}'`);
    }
  }
  return values;
}

/**
 * Runs an action as one step of a job. `action` is its folder, `inputs` what `with:` says, `environment` what the job
 * and earlier steps have set besides.
 */
async function github({ action = root, inputs = {}, environment = {}, cancelOn, cancelAt, cancelSignal, nodeArguments }) {
  const definition = readYaml(path.join(action, 'action.yml'));
  const unknown = Object.keys(inputs).filter((name) => !(name in definition.inputs));
  if (unknown.length > 0) throw new Error(`Unexpected input(s) ${unknown}`);
  const temporary = temporaryFolder('github');
  const folder = (name) => {
    const made = path.join(temporary, name);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const workspace = folder('work/shop/shop');
  const commands = folder('work/_temp/_runner_file_commands');
  const file = (name) => {
    const made = path.join(commands, `${name}_3a1c`);
    fs.writeFileSync(made, '');
    return made;
  };
  const files = { env: file('set_env'), path: file('add_path'), state: file('save_state'), output: file('set_output'), summary: file('step_summary') };
  const variables = {
    PATH: process.env.PATH, HOME: folder('home'), LANG: 'C.UTF-8',
    CI: 'true', GITHUB_ACTIONS: 'true', GITHUB_WORKSPACE: workspace, GITHUB_REPOSITORY: 'contoso/shop', GITHUB_REPOSITORY_ID: '42',
    GITHUB_REPOSITORY_OWNER: 'contoso', GITHUB_SHA: '7c1f5b3f0b3c5e3b2a1d4c6e8f9a0b1c2d3e4f50', GITHUB_REF: 'refs/heads/main',
    GITHUB_REF_NAME: 'main', GITHUB_REF_TYPE: 'branch', GITHUB_SERVER_URL: 'https://github.com', GITHUB_API_URL: 'https://api.github.com',
    GITHUB_RUN_ID: '1700000001', GITHUB_RUN_ATTEMPT: '1', GITHUB_RUN_NUMBER: '7', GITHUB_WORKFLOW: 'release', GITHUB_JOB: 'sign',
    GITHUB_WORKFLOW_REF: 'contoso/shop/.github/workflows/release.yml@refs/heads/main', GITHUB_WORKFLOW_SHA: '7c1f5b3f0b3c5e3b2a1d4c6e8f9a0b1c2d3e4f50',
    GITHUB_EVENT_NAME: 'push', GITHUB_ACTOR: 'dana', GITHUB_ACTION: '__org_acr-sign', GITHUB_ACTION_REPOSITORY: 'org/acr-sign', GITHUB_ACTION_REF: 'v1',
    RUNNER_OS: 'Linux', RUNNER_ARCH: process.arch === 'arm64' ? 'ARM64' : 'X64', RUNNER_NAME: 'self', RUNNER_ENVIRONMENT: 'self-hosted',
    RUNNER_TEMP: folder('work/_temp'), RUNNER_TOOL_CACHE: folder('work/_tool'), RUNNER_WORKSPACE: folder('work/shop'),
    GITHUB_ENV: files.env, GITHUB_PATH: files.path, GITHUB_STATE: files.state, GITHUB_OUTPUT: files.output, GITHUB_STEP_SUMMARY: files.summary,
    ...environment,
  };
  for (const [name, { default: value = '' }] of Object.entries(definition.inputs)) {
    variables[inputVariable(name)] = String(inputs[name] ?? value ?? '');
  }

  const step = { log: [], commands: [], issues: { error: [], warning: [], notice: [] }, dropped: 0, masks: [], failures: [], temporary };
  const masked = (text) => step.masks.reduce((known, mask) => known.replaceAll(mask, '***'), text);
  let stopped;
  const onLine = (line) => {
    const command = parseCommand(line);
    if (stopped !== undefined) {
      if (command?.name === stopped.toLowerCase() || line.trim() === `::${stopped}::`) stopped = undefined;
      step.log.push(masked(line));
      return;
    }
    if (!command) {
      step.log.push(masked(line));
      return;
    }
    step.commands.push(command);
    if (command.name === 'add-mask' && command.data.trim()) {
      step.masks.push(command.data, ...command.data.split(/\r?\n/).filter((one) => one.trim()));
    } else if (command.name === 'stop-commands') {
      stopped = command.data;
    } else if (command.name in step.issues) {
      const kept = step.issues[command.name];
      if (kept.length < ISSUES_PER_TYPE) kept.push({ ...command.properties, message: masked(command.data).slice(0, LONGEST_ISSUE) });
      else step.dropped += 1;
    }
    step.log.push(masked(command.name === 'add-mask' ? '::add-mask::***' : line));
  };
  const main = path.resolve(action, definition.runs.main);
  const ended = await runNode({ main, environment: variables, folder: workspace, onLine, cancelOn, cancelAt, cancelSignal, nodeArguments });
  Object.assign(step, { code: ended.code, signals: ended.signals, left: ended.left, workspace });
  const read = (name) => {
    try {
      return parseFile(fs.readFileSync(files[name], 'utf8'));
    } catch (error) {
      step.failures.push(error.message);
      return {};
    }
  };
  step.outputs = read('output');
  step.state = read('state');
  step.environment = read('env');
  step.paths = fs.readFileSync(files.path, 'utf8').split('\n').filter(Boolean);
  const summary = fs.readFileSync(files.summary);
  step.summaryBytes = summary.length;
  step.summary = summary.length > LARGEST_SUMMARY ? undefined : summary.toString('utf8').split('\n').map(masked).join('\n');
  step.conclusion = ended.code === 0 && step.failures.length === 0 ? 'success' : 'failure';
  return step;
}

module.exports = { github, parseCommand, parseFile };

'use strict';
// Azure Pipelines' agent, as far as a node task can tell: the environment it sets, and what it makes of the output.
// Rules: azure-pipelines-agent (Handler, NodeHandler, VarUtil, Command, TaskCommandExtension).

const fs = require('node:fs');
const path = require('node:path');
const { runNode } = require('./process.js');
const { readJson, root, temporaryFolder } = require('./tools.js');

const ISSUES_PER_TYPE = 10;
const RESULTS = ['Succeeded', 'SucceededWithIssues', 'Failed', 'Cancelled', 'Skipped'];

/** Dots and blanks become `_`; hyphens, as in the GUIDs of connections, stay. */
const variableName = (name) => name.replaceAll('.', '_').replaceAll(' ', '_').toUpperCase();

const unescapeData = (text) => text.replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%AZP25', '%');
const unescapeProperty = (text) =>
  text.replaceAll('%3B', ';').replaceAll('%0D', '\r').replaceAll('%0A', '\n').replaceAll('%5D', ']').replaceAll('%AZP25', '%');

/** `##vso[area.event key=value;]data`, found anywhere in a line. */
function parseCommand(line) {
  const start = line.indexOf('##vso[');
  const end = line.indexOf(']', start);
  if (start < 0 || end < 0) return undefined;
  const text = line.slice(start + 6, end);
  const space = text.indexOf(' ');
  const name = (space < 0 ? text : text.slice(0, space)).toLowerCase();
  if (!/^[a-z]+\.[a-z]+$/.test(name)) return undefined;
  const properties = {};
  for (const pair of space < 0 ? [] : text.slice(space + 1).split(';')) {
    const equals = pair.indexOf('=');
    if (equals > 0) properties[pair.slice(0, equals).trim().toLowerCase()] = unescapeProperty(pair.slice(equals + 1));
  }
  return { name, properties, data: unescapeData(line.slice(end + 1)) };
}

/** The variables of one service connection. */
function endpointVariables({ id, scheme, parameters = {}, data = {}, url = 'https://management.azure.com/' }) {
  const variables = { [`ENDPOINT_URL_${id}`]: url, [`ENDPOINT_AUTH_${id}`]: JSON.stringify({ scheme, parameters }), [`ENDPOINT_AUTH_SCHEME_${id}`]: scheme };
  for (const [key, value] of Object.entries(parameters)) variables[`ENDPOINT_AUTH_PARAMETER_${id}_${variableName(key)}`] = value;
  variables[`ENDPOINT_DATA_${id}`] = JSON.stringify(data);
  for (const [key, value] of Object.entries(data)) variables[`ENDPOINT_DATA_${id}_${variableName(key)}`] = value;
  return variables;
}

/**
 * Runs a task as one step of a job. `folder` is the packed task, `task` its definition; `variables` are the pipeline's;
 * macros in inputs are expanded from them, unknown ones stay as they are.
 */
async function azure({ folder = path.join(root, 'azure'), task = path.join(root, 'task.json'), inputs = {}, variables = {}, environment = {}, endpoints = [], accessToken, cancelOn, cancelAt, cancelSignal, nodeArguments }) {
  const definition = readJson(task);
  const unknown = Object.keys(inputs).filter((name) => !definition.inputs.some((input) => input.name === name));
  if (unknown.length > 0) throw new Error(`the task has no input ${unknown}`);
  const temporary = temporaryFolder('azure');
  const made = (name) => {
    const full = path.join(temporary, name);
    fs.mkdirSync(full, { recursive: true });
    return full;
  };
  const sources = made('1/s');
  const known = {
    'System.DefaultWorkingDirectory': sources, 'Build.SourcesDirectory': sources, 'Build.ArtifactStagingDirectory': made('1/a'),
    'Agent.TempDirectory': made('_temp'), 'Agent.ToolsDirectory': made('_tool'), 'Agent.OS': 'Linux', 'Agent.OSArchitecture': 'X64',
    'Agent.Version': '4.265.1', 'Agent.Name': 'self', 'System.HostType': 'build', 'System.TeamProject': 'shop', 'System.TeamProjectId': '11111111-2222-3333-4444-555555555555',
    'System.CollectionUri': 'https://dev.azure.com/contoso/', 'System.TeamFoundationCollectionUri': 'https://dev.azure.com/contoso/', 'System.PlanId': '1', 'System.JobId': '1',
    'System.TaskInstanceId': '66666666-7777-8888-9999-000000000000', 'System.PipelineStartTime': '2026-11-23 09:30:00+00:00',
    'Build.BuildId': '73', 'Build.BuildNumber': '20261123.1', 'Build.SourceVersion': '7c1f5b3f0b3c5e3b2a1d4c6e8f9a0b1c2d3e4f50',
    'Build.SourceBranch': 'refs/heads/main', 'Build.Reason': 'IndividualCI', 'Build.DefinitionName': 'shop-release',
    'Build.Repository.Uri': 'https://dev.azure.com/contoso/shop/_git/shop',
    ...variables,
  };
  const values = { PATH: process.env.PATH, HOME: made('home'), LANG: 'C.UTF-8', TF_BUILD: 'True', ...environment };
  values.VSTS_PUBLIC_VARIABLES = JSON.stringify(Object.keys(known));
  values.VSTS_SECRET_VARIABLES = '[]';
  values.ENDPOINT_URL_SYSTEMVSSCONNECTION = 'https://dev.azure.com/contoso/';
  if (accessToken) {
    values.ENDPOINT_AUTH_SYSTEMVSSCONNECTION = JSON.stringify({ scheme: 'OAuth', parameters: { AccessToken: accessToken } });
    values.ENDPOINT_AUTH_SCHEME_SYSTEMVSSCONNECTION = 'OAuth';
    values.ENDPOINT_AUTH_PARAMETER_SYSTEMVSSCONNECTION_ACCESSTOKEN = accessToken;
  }
  for (const endpoint of endpoints) Object.assign(values, endpointVariables(endpoint));
  const lookup = Object.fromEntries(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]));
  const expand = (text) => text.replace(/\$\(([^()]+)\)/g, (macro, name) => lookup[name.toLowerCase()] ?? macro);
  for (const { name, defaultValue = '' } of definition.inputs) {
    values[`INPUT_${variableName(name)}`] = expand(String(inputs[name] ?? defaultValue)).trim();
  }
  // After the inputs, so that a variable beats the input of its name.
  for (const [name, value] of Object.entries(known)) values[variableName(name)] = value;

  const step = { log: [], commands: [], lines: [], issues: { error: [], warning: [] }, dropped: 0, masks: [], variables: {}, outputs: {}, completed: [], attached: [], temporary };
  const masked = (text) => step.masks.reduce((all, mask) => all.replaceAll(mask, '***'), text);
  const onLine = (line) => {
    step.lines.push(line);
    const command = parseCommand(line);
    if (!command) {
      step.log.push(masked(line));
      return;
    }
    const { name, properties, data } = command;
    step.commands.push(command);
    if (name === 'task.setsecret' && data) step.masks.push(data);
    else if (name === 'task.setvariable') {
      step.variables[properties.variable] = data;
      if (properties.isoutput?.toLowerCase() === 'true') step.outputs[properties.variable] = data;
      if (properties.issecret?.toLowerCase() === 'true') step.masks.push(data);
    } else if (name === 'task.logissue' || name === 'task.issue') {
      const kept = step.issues[properties.type];
      if (!kept) throw new Error(`no such type of issue: ${line}`);
      if (kept.length < ISSUES_PER_TYPE) kept.push({ ...properties, message: masked(data) });
      else step.dropped += 1;
    } else if (name === 'task.complete') {
      if (!RESULTS.includes(properties.result)) throw new Error(`no such result: ${line}`);
      step.completed.push({ result: properties.result, message: masked(data) });
    } else if (name === 'task.uploadsummary') step.attached.push(data);
    step.log.push(masked(name === 'task.setsecret' ? '##vso[task.setsecret]***' : line));
  };
  const handler = definition.execution[process.versions.node.startsWith('20.') ? 'Node20_1' : 'Node24'];
  const ended = await runNode({ main: path.join(folder, handler.target), environment: values, folder: sources, onLine, cancelOn, cancelAt, cancelSignal, nodeArguments });
  // Attachments are read after the task has ended.
  const summaries = step.attached.map((file) => ({ title: path.basename(file), text: fs.readFileSync(file, 'utf8') }));
  const worst = step.completed.reduce((rank, { result }) => Math.max(rank, RESULTS.indexOf(result)), 0);
  const result = ended.code === 0 ? RESULTS[worst] : 'Failed';
  return Object.assign(step, { code: ended.code, signals: ended.signals, left: ended.left, result, summaries, sources });
}

module.exports = { azure, parseCommand };

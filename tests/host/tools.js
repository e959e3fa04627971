'use strict';
// Where things are, and the programs that tests/host/install brought. A missing one fails, it is never skipped.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '..', '..');

const folders = [];
process.on('exit', () => {
  for (const folder of folders) fs.rmSync(folder, { recursive: true, force: true });
});

/** A new folder that goes away with the process. */
function temporaryFolder(name) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `acr-sign-${name}-`));
  folders.push(folder);
  return folder;
}

/** A path from the environment that must be there. */
function given(name, what) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: ${what}`);
  if (!fs.existsSync(value)) throw new Error(`${name} names ${value}, which is not there: ${what}`);
  return value;
}

const tools = () => given('ACR_SIGN_TOOLS', 'the folder that tests/host/install filled');
const binary = () => given('ACR_SIGN_BINARY', 'the built acr-sign');
const sandboxBinary = () => given('ACR_SANDBOX_BINARY', 'the built acr-sandbox');
const vsix = () => given('ACR_SIGN_VSIX', 'the extension that azure/pack packed');

/** YAML as JSON, read by a real parser. */
function readYaml(file) {
  const text = fs.readFileSync(file, 'utf8');
  if (!known.has(text)) known.set(text, parseYaml(file));
  return known.get(text);
}

const known = new Map();

function parseYaml(file) {
  const program = 'import json, sys; from ruamel.yaml import YAML; json.dump(YAML(typ="safe").load(open(sys.argv[1])), sys.stdout, default=str)';
  return JSON.parse(execFileSync(path.join(tools(), 'venv', 'bin', 'python'), ['-c', program, file], { encoding: 'utf8' }));
}

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** azure-pipelines-task-lib's own reader and writer of logging commands. */
const taskLibCommands = () => require(path.join(tools(), 'node_modules', 'azure-pipelines-task-lib', 'taskcommand.js'));

module.exports = { binary, readJson, readYaml, root, sandboxBinary, taskLibCommands, temporaryFolder, tools, vsix };

'use strict';
// Every YAML example in the documentation is one that works: workflows pass actionlint with our own action's inputs,
// pipelines name only inputs and values that the task has, and the rest is YAML.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { readJson, readYaml, root, temporaryFolder, tools } = require('./tools.js');

const work = temporaryFolder('docs');
const pages = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' }).split('\n').filter(Boolean);

/** The YAML blocks of a page: `{name, file, text, document}`. */
function blocks(page) {
  const text = fs.readFileSync(path.join(root, page), 'utf8');
  return [...text.matchAll(/^```ya?ml[^\n]*\n(.*?)^```$/gms)].map(([, block], at) => {
    const name = `${page}, YAML block ${at + 1}`;
    const file = path.join(work, `${page.replaceAll('/', '-')}-${at}.yml`);
    fs.writeFileSync(file, block);
    return { name, file, text: block, document: readYaml(file) };
  });
}

/** Every mapping in a document. */
function* mappings(value) {
  if (Array.isArray(value)) for (const one of value) yield* mappings(one);
  else if (value && typeof value === 'object') {
    yield value;
    for (const one of Object.values(value)) yield* mappings(one);
  }
}

const examples = pages.flatMap(blocks);
const isWorkflow = ({ document }) => [...mappings(document)].some((one) => 'runs-on' in one || 'uses' in one);
const ourTasks = ({ document }) => [...mappings(document)].filter(({ task }) => task?.startsWith('AcrSign@'));

/** Steps alone, after those that they speak of. */
const asWorkflow = (steps) => `name: Steps
on: push
permissions: {}
jobs:
  job:
    runs-on: ubuntu-24.04
    steps:
      - id: meta
        uses: docker/metadata-action@v5
      - id: build
        uses: docker/build-push-action@v6
${steps.replace(/^/gm, '      ')}`;

test('workflows pass actionlint', () => {
  const project = path.join(work, 'project');
  const folder = path.join(project, '.github', 'workflows');
  fs.mkdirSync(folder, { recursive: true });
  fs.mkdirSync(path.join(project, '.git'));
  for (const file of ['action.yml', 'setup', 'wrapper']) fs.cpSync(path.join(root, file), path.join(project, file), { recursive: true });
  const workflows = examples.filter(isWorkflow);
  for (const { file, text, document } of workflows) {
    // As a local action, so that its inputs and outputs are known to the linter.
    const local = (Array.isArray(document) ? asWorkflow(text) : text).replace(/org\/acr-sign(\/setup)?@[\w.]+/g, (_, part = '') => `.${part || '/'}`);
    fs.writeFileSync(path.join(folder, path.basename(file)), local);
  }
  assert.ok(workflows.length >= 4, `${workflows.length} workflows`);
  fs.writeFileSync(path.join(project, '.github', 'actionlint.yaml'), 'self-hosted-runner:\n  labels: [signing]\n');
  const lint = () => spawnSync(path.join(tools(), 'bin', 'actionlint'), { cwd: project, encoding: 'utf8' });
  assert.deepEqual([lint().stdout, lint().status], ['', 0]);
  // The linter does know them.
  fs.writeFileSync(path.join(folder, 'wrong.yml'), fs.readFileSync(path.join(folder, path.basename(workflows[0].file)), 'utf8').replace('digest: ', 'digests: '));
  assert.match(lint().stdout, /input "digests" is not defined/);
});

test('what workflows use is pinned by commit, as they say', () => {
  const uses = examples.flatMap(({ name, text }) => [...text.matchAll(/uses: (\S+)@(\S+)(.*)/g)].map((match) => [name, ...match.slice(1)]));
  assert.ok(uses.length > 8);
  for (const [name, action, ref, comment] of uses) {
    if (action.startsWith('org/acr-sign') && ref === 'v1') continue;
    assert.match(ref, /^[0-9a-f]{40}$/, `${name}: ${action}`);
    assert.match(comment, /^ # v\d+\.\d+\.\d+$/, `${name}: ${action}`);
  }
});

test('pipelines give the task what it has', () => {
  const definition = readJson(path.join(root, 'task.json'));
  const inputs = new Map(definition.inputs.map((input) => [input.name, input]));
  const outputs = definition.outputVariables.map(({ name }) => name);
  let count = 0;
  for (const example of examples) {
    for (const task of ourTasks(example)) {
      count += 1;
      assert.equal(task.task, `AcrSign@${definition.version.Major}`, example.name);
      for (const [name, value] of Object.entries(task.inputs)) {
        const input = inputs.get(name);
        assert.ok(input, `${example.name}: the task has no input ${name}`);
        if (input.options) assert.ok(value in input.options, `${example.name}: ${name} cannot be ${value}`);
        const only = /^command = (\w+)$/.exec(input.visibleRule ?? '')?.[1];
        if (only) assert.equal(task.inputs.command, only, `${example.name}: ${name} is for ${only}`);
      }
      if (!task.name) continue;
      const used = [...example.text.matchAll(new RegExp(`(?:\\$\\(|outputs\\[')${task.name}\\.(\\w+)`, 'g'))].map(([, output]) => output);
      for (const output of used) assert.ok(outputs.includes(output), `${example.name}: the task has no output ${output}`);
    }
  }
  assert.ok(count >= 5, `${count} steps`);
});

'use strict';
// azure/compare, over extensions that are not what was packed: each differs in one thing.

const assert = require('node:assert/strict');
const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { root, temporaryFolder, tools } = require('./tools.js');
const zip = require('./zip.js');

const folder = temporaryFolder('extension');
const assets = path.join(folder, 'assets');
const table = path.join(folder, 'checksums.json');
fs.mkdirSync(assets);
for (const name of ['linux-x64', 'linux-arm64', 'windows-x64.exe']) fs.writeFileSync(path.join(assets, `acr-sign-${name}`), `the program for ${name}\n`);
const { stdout } = spawnSync(process.execPath, [path.join(root, 'wrapper', 'make-checksums.js'), '1.2.3', assets]);
fs.writeFileSync(table, stdout);
const packed = path.join(folder, 'packed.vsix');
const layout = path.join(folder, 'layout');
const environment = { ...process.env, TFX: path.join(tools(), 'node_modules', '.bin', 'tfx') };
for (const out of [packed, `${layout}/`]) execFileSync(path.join(root, 'azure', 'pack'), [assets, table, out], { env: environment, stdio: 'ignore' });
const original = zip.read(fs.readFileSync(packed));

/** What the comparison says of such an archive; nothing if it is the one that was packed. */
function compare(archive) {
  const file = path.join(folder, 'compared.vsix');
  fs.writeFileSync(file, archive);
  const { status, stderr } = spawnSync('python3', [path.join(root, 'azure', 'archive.py'), file, layout], { encoding: 'utf8' });
  if (status === 0) return undefined;
  assert.ok(stderr.startsWith(`compare: ${file}: `), stderr);
  return stderr.slice(`compare: ${file}: `.length).trim();
}

/** The archive with the content of one entry changed. */
const changed = (name, change) =>
  zip.write(original.map((entry) => (entry.name === name ? { ...entry, content: Buffer.from(change(entry.content.toString('latin1')), 'latin1') } : entry)));
const replaced = (name, from, to) => changed(name, (text) => {
  assert.ok(text.includes(from), `${name} has no ${from}`);
  return text.replace(from, to);
});
/** The archive with more said of one entry. */
const marked = (name, more) => zip.write(original.map((entry) => (entry.name === name ? { ...entry, ...more } : entry)));
const with_ = (entry) => [zip.write([entry, ...original]), zip.write([...original, entry])];
const entry = (name, more) => ({ name, content: Buffer.from('another'), ...more });

test('what was packed is taken, also packed by another program', () => {
  assert.equal(compare(fs.readFileSync(packed)), undefined);
  assert.equal(compare(zip.write(original)), undefined);
  assert.equal(compare(zip.write(original.filter(({ name }) => !name.endsWith('/')))), undefined);
  assert.equal(compare(marked('AcrSign/main.js', { mode: 0o100644 })), undefined);
});

test('azure/compare compares with the assets and this checkout', () => {
  const code = (file, ...from) => spawnSync(path.join(root, 'azure', 'compare'), [...from, file]).status;
  assert.equal(code(packed, assets, table), 0);
  const file = path.join(folder, 'changed.vsix');
  fs.writeFileSync(file, changed('AcrSign/main.js', (text) => text.replace('exitCode = 1', 'exitCode = 0')));
  assert.equal(code(file, assets, table), 1);
  assert.notEqual(code(packed, folder, table), 0);
});

test('a file is there once, under its one name', () => {
  for (const name of ['AcrSign/main.js', './AcrSign/main.js', 'AcrSign/./main.js', 'AcrSign//main.js', 'AcrSign\\main.js', '/AcrSign/main.js', 'AcrSign/Main.js', 'acrsign/main.js', 'AcrSign/x/../main.js', 'AcrSign/main.js/', 'AcrSign/main.js\0', 'overview.md', 'extension.vsixmanifest', 'more.js', 'AcrSign/wrapper/more.js', 'AcrSign/node_modules/']) {
    for (const archive of with_(entry(name))) assert.match(compare(archive) ?? 'taken', /there twice|not packed|another content|another XML declaration/, name);
  }
});

test('no entry is a link, and none is missing', () => {
  assert.match(compare(marked('AcrSign/main.js', { mode: 0o120777 })), /AcrSign\/main\.js: a link or another special file/);
  assert.match(compare(marked('AcrSign/main.js', { mode: 0o040755 })), /a link or another special file/);
  assert.match(compare(zip.write(original.filter(({ name }) => name !== 'AcrSign/wrapper/launch.js'))), /missing: AcrSign\/wrapper\/launch\.js/);
  assert.match(compare(zip.write(original.filter(({ name }) => name !== 'extension.vsomanifest'))), /missing: extension\.vsomanifest/);
});

test('each file has the content that was packed', () => {
  for (const { name, content } of original.filter((file) => !file.name.endsWith('/'))) {
    const other = changed(name, (text) => `${text.slice(0, -1)}${content.at(-1) === 0x21 ? '?' : '!'}`);
    assert.ok(compare(other)?.startsWith(`${name}: `) || /not well-formed|Extra data|Expecting|junk/.test(compare(other)), name);
  }
});

test('what tfx writes says what the manifest says', () => {
  for (const [from, to] of [
    ['Publisher="acr-sign"', 'Publisher="acr-sing"'],
    [' Id="acr-sign"', ' Id="acr-sign2"'],
    ['Version="1.2.3"', 'Version="9.2.3"'],
    ['https://github.com/org/acr-sign"', 'https://github.com/org/other"'],
    ['<Icon>extension-icon.png<', '<Icon>AcrSign/icon.png<'],
    ['Path="overview.md"', 'Path="LICENSE-MIT"'],
    ['  </Assets>', '<Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="overview.md"/></Assets>'],
    ['<Dependencies/>', '<Dependencies><Dependency Id="x"/></Dependencies>'],
    ['<PackageManifest', '<!DOCTYPE x [<!ENTITY e "acr-sign">]><PackageManifest'],
    ['<Metadata>', '<Metadata><!-- -->'],
    ['<Metadata>', '<Metadata>more'],
    ['<PackageManifest', '<?xml-stylesheet href="x"?><PackageManifest'],
  ]) assert.match(compare(replaced('extension.vsixmanifest', from, to)), /vsixmanifest: says something else|in an XML file|text between/, to);
  for (const [from, to] of [
    ['"scopes": []', '"scopes": ["vso.code_full"]'],
    ['"scopes": []', '"scopes": [], "scopes": []'],
    ['"scopes": []', '"scopes": [], "demands": []'],
    ['"name": "AcrSign"', '"name": "Other"'],
    ['"contributionTypes": []', '"contributionTypes": [{}]'],
  ]) assert.match(compare(replaced('extension.vsomanifest', from, to)), /vsomanifest/, to);
  assert.match(compare(replaced('[Content_Types].xml', 'ContentType="application/javascript"', 'ContentType="text/html"')), /says something else/);
  // The machine that packed it guesses the types of programs, each in its own words.
  const program = /ContentType="[^"]+" PartName="\/AcrSign\/bin\/linux-x64\/acr-sign"/.exec(original.find(({ name }) => name === '[Content_Types].xml').content.toString())[0];
  const typed = (type) => program.replace(/ContentType="[^"]+"/, `ContentType="${type}"`);
  assert.equal(compare(replaced('[Content_Types].xml', program, typed('application/x-pie-executable'))), undefined);
  assert.match(compare(replaced('[Content_Types].xml', program, typed('text/html'))), /says something else/);
});

test('an archive that can be read in two ways is refused', () => {
  const name = 'AcrSign/main.js';
  for (const [what, archive] of Object.entries({
    'another name in front of the content': marked(name, { localName: 'AcrSign/task.js' }),
    'a name in an extra field': marked(name, { extra: 'up\x06\0\x01abcdx' }),
    'bytes behind a packed content': marked(name, { behind: 'more' }),
    'an entry that is not listed': zip.write([...original, entry(name, { listed: false })]),
    'an entry that is not listed, in front': zip.write([entry(name, { listed: false }), ...original]),
    'bytes in front': zip.write(original, { before: '#!/bin/sh\n' }),
    'a comment': zip.write(original, { comment: 'more' }),
    'an archive in a comment': zip.write(original, { comment: zip.write([entry(name)]).toString('latin1') }),
    'bytes behind': Buffer.concat([zip.write(original), Buffer.from('more')]),
    'a second archive': Buffer.concat([zip.write([entry(name)]), zip.write(original)]),
    'nothing': Buffer.alloc(0),
  })) assert.ok(compare(archive), what);
});

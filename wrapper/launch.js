'use strict';
// Finds acr-sign, checks it, runs `acr-sign ci` and tells how that ended: what the GitHub Action and the Azure
// Pipelines task have in common. Inputs are none of its business, the program reads them itself.

const fs = require('node:fs');
const path = require('node:path');

/** Where the release assets of the version in checksums.json are. */
const RELEASES = 'https://github.com/org/acr-sign/releases/download';

/** From a cancellation until what is left is killed. Both hosts send SIGTERM after 7.5 s and kill after 10. */
const PATIENCE_MS = 4_000;

/** The file for the program's last word, in a folder that is new for each run. */
const RESULT = 'result.json';

/** What the program is called in a folder of the run. */
const PROGRAM = process.platform === 'win32' ? 'acr-sign.exe' : 'acr-sign';

/** Larger than any of our binaries. */
const LARGEST_BINARY = 64 * 1024 * 1024;

/** Larger than any program on this machine that belongs to this version, debug information included. */
const LARGEST_FILE = 512 * 1024 * 1024;

/** A set-up that cannot work ends as the program ends for it; whatever else went wrong is not known to be signed. */
const EXIT_SETUP = 2;
const EXIT_UNDECIDED = 3;
const EXIT_INTERRUPTED = 130;

/** An ending that the launcher itself has to explain. */
class Refusal extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }
}

/** `<os>-<arch>` of the binary for this machine. */
function target(platform = process.platform, arch = process.arch) {
  const name = { linux: 'linux', darwin: 'macos', win32: 'windows' }[platform];
  // Windows on ARM runs the x64 program.
  const machine = platform === 'win32' && arch === 'arm64' ? 'x64' : arch;
  const known = ['linux-x64', 'linux-arm64', 'macos-x64', 'macos-arm64', 'windows-x64'];
  const found = `${name}-${machine}`;
  if (known.includes(found)) return found;
  throw new Refusal(
    EXIT_SETUP,
    `there is no acr-sign for ${platform} on ${arch}, only for ${known.join(', ')}; build it there and name it with the input for the binary's path or ACR_SIGN_BINARY`,
  );
}

/** The table of what belongs to this commit: `{version, sha256: {target: hex}}`. */
function readChecksums(file = path.join(__dirname, 'checksums.json')) {
  return JSON.parse(fs.readFileSync(file, 'utf8'));
}

function sha256(bytes) {
  return require('node:crypto').createHash('sha256').update(bytes).digest('hex');
}

/**
 * Copies a program into a folder that only this run may write, and returns the copy's path. What is hashed is what is
 * written there: a file that other jobs may change or exchange meanwhile is never what runs.
 */
function copy(file, folder, expected) {
  const { constants } = fs;
  const hash = require('node:crypto').createHash('sha256');
  const piece = Buffer.allocUnsafe(256 * 1024);
  const own = path.join(folder, PROGRAM);
  // A named pipe would keep us waiting for whoever writes it.
  const from = fs.openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  try {
    if (!fs.fstatSync(from).isFile()) throw new Refusal(EXIT_SETUP, `${file} is not a regular file; nothing was run`);
    const to = fs.openSync(own, 'wx', 0o700);
    try {
      let total = 0;
      for (let length; (length = fs.readSync(from, piece)) > 0; ) {
        total += length;
        if (total > LARGEST_FILE) throw new Refusal(EXIT_SETUP, `${file} is larger than ${LARGEST_FILE} bytes; nothing was run`);
        const part = piece.subarray(0, length);
        hash.update(part);
        for (let done = 0; done < length; ) done += fs.writeSync(to, part, done);
      }
    } finally {
      fs.closeSync(to);
    }
  } finally {
    fs.closeSync(from);
  }
  const found = hash.digest('hex');
  if (expected && found !== expected) {
    throw new Refusal(
      EXIT_SETUP,
      `${file} is not the acr-sign that belongs to this version: its SHA-256 is ${found}, not ${expected}; nothing was run`,
    );
  }
  return own;
}

/**
 * The program to run, in the order of the contract: named by the user, bundled, tool cache, release.
 * Only what the user named is not checked. What is checked is a copy in one of `folders`, which only this run may write;
 * the first is given, more are made where that one does not let programs run. Resolves to the path.
 */
async function find({ binaryPath, toolCache, folders, warn, signal }) {
  for (const [from, given] of [['the input', binaryPath], ['ACR_SIGN_BINARY', process.env.ACR_SIGN_BINARY]]) {
    if (!given?.trim()) continue;
    const file = path.resolve(given.trim());
    if (!fs.statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw new Refusal(EXIT_SETUP, `there is no program at ${file}, which ${from} names`);
    }
    warn(`${file} is run because ${from} names it; its SHA-256 was not checked`);
    return mayRun(file) ? file : copyToRun(file, folders);
  }

  const wanted = target();
  const { version, sha256: table } = readChecksums();
  const expected = table[wanted];
  if (!expected) {
    throw new Refusal(
      EXIT_SETUP,
      `this commit has no released acr-sign for ${wanted} (wrapper/checksums.json is ${Object.keys(table).length ? 'without it' : 'empty'}): use a released version, or name a program with the input for the binary's path or ACR_SIGN_BINARY`,
    );
  }

  const extension = wanted.startsWith('windows') ? '.exe' : '';
  const bundled = path.join(__dirname, '..', 'bin', wanted, `acr-sign${extension}`);
  const [, arch] = wanted.split('-');
  const cached = toolCache && path.join(toolCache, 'acr-sign', version, arch, `acr-sign${extension}`);
  const complete = cached && fs.existsSync(path.join(toolCache, 'acr-sign', version, `${arch}.complete`));
  for (const file of [bundled, complete && cached]) {
    if (file && fs.existsSync(file)) return copyToRun(file, folders, expected);
  }

  const asset = `acr-sign-${wanted}${extension}`;
  const bytes = await download(`${RELEASES}/v${version}/${asset}`, expected, signal);
  if (toolCache) offer(bytes, toolCache, [version, arch], `acr-sign${extension}`);
  const downloaded = path.join(folders[0], 'download');
  fs.writeFileSync(downloaded, bytes, { flag: 'wx', mode: 0o600 });
  const file = copyToRun(downloaded, folders, expected);
  fs.unlinkSync(downloaded);
  return file;
}

/** A release asset, believed only if its hash is the expected one. */
async function download(url, expected, signal) {
  const ways = `bundle it as bin/<os>-<arch>/, put it into the tool cache, or name it with the input for the binary's path or ACR_SIGN_BINARY`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const bytes = await fetchBounded(url, signal);
      const found = sha256(bytes);
      if (found === expected) return bytes;
      throw new Refusal(EXIT_SETUP, `${url} has the SHA-256 ${found}, not ${expected}; nothing was run`);
    } catch (error) {
      if (error instanceof Refusal && !error.transient) throw error;
      if (signal?.aborted) throw new Refusal(EXIT_INTERRUPTED, 'interrupted while acr-sign was being downloaded');
      if (attempt === 3) {
        const why = error.cause?.message ?? error.message;
        throw new Refusal(EXIT_UNDECIDED, `acr-sign is not on this machine, and ${url} cannot be downloaded: ${why}; ${ways}`);
      }
      await new Promise((resolve) => setTimeout(resolve, attempt * 500));
    }
  }
}

async function fetchBounded(url, signal) {
  const limits = [AbortSignal.timeout(120_000), signal].filter(Boolean);
  const response = await fetch(url, { signal: AbortSignal.any(limits) });
  if (!response.ok) {
    const refusal = new Refusal(EXIT_UNDECIDED, `status ${response.status}`);
    refusal.transient = true;
    throw refusal;
  }
  const chunks = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    if (length > LARGEST_BINARY) throw new Refusal(EXIT_SETUP, `${url} is larger than ${LARGEST_BINARY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/**
 * Leaves a downloaded program in the tool cache for the next job. Other jobs may write there and can foretell the names, so
 * each folder must be a real one, and files get their content under a fresh name: a planted link is replaced, not followed.
 */
function offer(bytes, toolCache, names, program) {
  try {
    fs.mkdirSync(toolCache, { recursive: true });
    let folder = toolCache;
    for (const name of ['acr-sign', ...names]) {
      folder = path.join(folder, name);
      try {
        fs.mkdirSync(folder);
      } catch (error) {
        if (error.code !== 'EEXIST' || !fs.lstatSync(folder).isDirectory()) return;
      }
    }
    const fresh = fs.mkdtempSync(path.join(folder, 'new-'));
    try {
      // Whole or not at all: another job may be looking.
      for (const [content, mode, target] of [[bytes, 0o755, path.join(folder, program)], ['', 0o644, `${folder}.complete`]]) {
        const file = path.join(fresh, path.basename(target));
        fs.writeFileSync(file, content, { flag: 'wx', mode });
        fs.renameSync(file, target);
      }
    } finally {
      fs.rmSync(fresh, { recursive: true, force: true });
    }
  } catch {
    // Then it is for this run only.
  }
}

function mayRun(file) {
  try {
    fs.accessSync(file, fs.constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** A new folder that only this run may write. */
function ownFolder(folders, base) {
  const folder = fs.mkdtempSync(path.join(base, 'acr-sign-'));
  folders.push(folder);
  return folder;
}

/** A copy that may be run: the temporary folder may be one where nothing may. */
function copyToRun(file, folders, expected) {
  const [first] = folders;
  const more = (where) => ownFolder(folders, require('node:os')[where]());
  for (const place of [() => first, () => more('tmpdir'), () => more('homedir')]) {
    let folder;
    try {
      folder = place();
    } catch {
      continue;
    }
    const own = copy(file, folder, expected);
    if (process.platform === 'win32' || mayRun(own)) return own;
    fs.unlinkSync(own);
  }
  throw new Refusal(EXIT_SETUP, `no program may be run in ${folders.join(', ')}; nothing was run`);
}

/** Windows looks for a bare name in the working folder first, which is the checkout. */
function taskkill(environment = process.env) {
  const windows = environment.SystemRoot ?? '';
  return /^[A-Za-z]:\\/.test(windows) ? `${windows.replace(/\\+$/, '')}\\System32\\taskkill.exe` : undefined;
}

/** Runs `FILE ci` to its end. Resolves to `{code, signal}` as the system reports them. */
function run(file, environment, cancellation) {
  const { spawn, spawnSync } = require('node:child_process');
  const windows = process.platform === 'win32';
  return new Promise((resolve, reject) => {
    // A process group of its own, so that a cancellation reaches the az or the credential helper that it started.
    const child = spawn(file, ['ci'], { stdio: 'inherit', env: environment, detached: !windows, windowsHide: true });
    const all = (signal) => {
      try {
        const program = windows && taskkill();
        if (program) spawnSync(program, ['/pid', String(child.pid), '/t', '/f'], { stdio: 'ignore' });
        else if (windows) child.kill();
        else process.kill(-child.pid, signal);
      } catch {
        // Nothing is left of it.
      }
    };
    let timer;
    cancellation.stop = (signal) => {
      timer ??= setTimeout(() => all('SIGKILL'), PATIENCE_MS);
      // On Windows the console has told the child already, and another word would kill it at once.
      if (!windows) all(signal);
    };
    child.once('error', (error) => {
      cancellation.stop = undefined;
      clearTimeout(timer);
      reject(new Refusal(EXIT_SETUP, `${file} cannot be started: ${error.message}`));
    });
    child.once('exit', (code, signal) => {
      cancellation.stop = undefined;
      clearTimeout(timer);
      if (timer) all('SIGKILL');
      resolve({ code, signal });
    });
    if (cancellation.signal.aborted) cancellation.stop(cancellation.name);
  });
}

/** Removes the folder of a run; removing the files that are in it mostly costs less than looking for others. */
function discard(folder) {
  try {
    for (const name of [PROGRAM, RESULT]) fs.unlinkSync(path.join(folder, name));
    fs.rmdirSync(folder);
  } catch {
    try {
      fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    } catch {
      // The host empties its temporary folder; what was signed stays signed.
    }
  }
}

/** What the program wrote as its last act, or nothing if that is not of the agreed form. */
function readResult(file) {
  try {
    if (fs.statSync(file).size > 65_536) return undefined;
    const { code, decision, message } = JSON.parse(fs.readFileSync(file, 'utf8'));
    const known = decision === 'allow' || decision === 'deny';
    return Number.isInteger(code) && known && typeof message === 'string' ? { code, decision, message } : undefined;
  } catch {
    return undefined;
  }
}

/** Green needs proof: exit 0 counts only with a result that says the same. */
function judge(ended, result, interrupted) {
  if (ended.code === null) {
    const message = `acr-sign was ended by ${ended.signal} before it could say what it did`;
    return { code: interrupted ? EXIT_INTERRUPTED : EXIT_UNDECIDED, message, own: true };
  }
  if (result?.code === ended.code) return { ...result, own: false };
  const said = result ? `its result says ${result.code}` : 'it left no result';
  const message = `acr-sign ended with exit code ${ended.code}, but ${said}: the run counts as failed`;
  return { code: ended.code === 0 ? EXIT_UNDECIDED : ended.code, message, own: true };
}

/**
 * The whole run. `host` is `{binaryPath, temporary, toolCache, warn}`; never rejects.
 * Resolves to `{code, decision, message, own}`: `own` where nobody has told the user about it yet.
 */
async function launch(host) {
  const abort = new AbortController();
  const cancellation = { signal: abort.signal, name: undefined, stop: undefined };
  const handler = (name) => {
    cancellation.name = name;
    abort.abort();
    cancellation.stop?.(name);
  };
  const names = process.platform === 'win32' ? ['SIGINT', 'SIGTERM', 'SIGBREAK'] : ['SIGINT', 'SIGTERM', 'SIGHUP'];
  for (const name of names) process.on(name, handler);
  const folders = [];
  try {
    const base = host.temporary && fs.existsSync(host.temporary) ? host.temporary : require('node:os').tmpdir();
    const folder = ownFolder(folders, base);
    const { binaryPath, toolCache, warn } = host;
    const file = await find({ binaryPath, toolCache, folders, warn, signal: abort.signal });
    if (abort.signal.aborted) throw new Refusal(EXIT_INTERRUPTED, 'interrupted before acr-sign was started');
    const resultFile = path.join(folder, RESULT);
    const ended = await run(file, { ...process.env, ACR_SIGN_RESULT: resultFile }, cancellation);
    return judge(ended, readResult(resultFile), abort.signal.aborted);
  } catch (error) {
    const code = error instanceof Refusal ? error.code : EXIT_UNDECIDED;
    return { code, message: error.message, own: true };
  } finally {
    for (const name of names) process.removeListener(name, handler);
    for (const folder of folders) discard(folder);
  }
}

module.exports = { copy, download, find, launch, taskkill };

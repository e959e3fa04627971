'use strict';
// The sandbox as users start it, with trust data for one repository: what a step signs with and against.

const { execFileSync, spawn } = require('node:child_process');
const { binary, sandboxBinary } = require('./tools.js');

/** Starts it; resolves to what it printed, the inputs that lead to it, and how to end it. */
async function startSandbox() {
  const child = spawn(sandboxBinary(), ['--for', '900'], { stdio: ['pipe', 'pipe', 'inherit'] });
  const exported = {};
  await new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the sandbox ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (more) => {
      text += more;
      for (const [, name, value] of text.matchAll(/^export (\w+)='(.*)'\n/gm)) exported[name] = value;
      if (exported.SANDBOX_AZURESUBSCRIPTION_SERVICE_CONNECTION_ID) resolve();
    });
  });
  const run = (...parameters) =>
    execFileSync(binary(), parameters, { env: { PATH: process.env.PATH, ...exported }, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
  /** Creates trust data for a repository; returns the root key ID to pin. */
  const initialise = (repository) => {
    const keys = ['--root-key', 'akv:contoso/keys/root', '--targets-key', 'akv:contoso/keys/targets', '--signer', 'release=akv:contoso/keys/release'];
    return JSON.parse(run('trust', 'init', repository, ...keys, '--output', 'json')).root.keyIds[0];
  };
  return {
    exported,
    run,
    initialise,
    digest: exported.SANDBOX_DIGEST,
    connectTo: exported.ACR_SIGN_CONNECT_TO.replaceAll(';', '\n'),
    caFile: exported.ACR_SIGN_CA_FILE,
    stop: () => child.stdin.end(),
  };
}

module.exports = { startSandbox };

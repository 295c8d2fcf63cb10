// An OpenID Connect provider for tests, on loopback: `node provider.js '{"port": 0, "clients": [...]}'`. It prints its issuer when it listens.
// With `host`, `issuer` and `tls` (key and certificate) it is elsewhere, by https.
// Accounts: the login `NAME` has the address NAME@zixly.example; one that begins with `unproven-` is not vouched for.
// POST /rotate gives it new keys and forgets the old ones.

import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import Provider from 'oidc-provider';

const settings = JSON.parse(process.argv[2]);
const host = settings.host ?? '127.0.0.1';
let provider;

function newKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256' };
}

function newProvider(issuer) {
  const made = new Provider(issuer, {
    clients: settings.clients,
    jwks: { keys: [newKey()] },
    cookies: { keys: ['for tests only'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    pkce: { required: () => true },
    // Its own protection would call nobody on loopback, where the bridge is.
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined }),
    findAccount: (_ctx, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id.replace('unproven-', '')}@zixly.example`, email_verified: !id.startsWith('unproven-'), name: id }),
    }),
    features: {
      backchannelLogout: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: () => ({ scope: '', audience: 'zixly-api', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'RS256' } } }),
        useGrantedResource: () => true,
      },
    },
  });
  made.on('backchannel.error', (_ctx, error) => console.error(error));
  made.on('server_error', (_ctx, error) => console.error(error));
  return made;
}

function answer(request, response) {
  if (request.method === 'POST' && request.url === '/rotate') {
    provider = newProvider(provider.issuer);
    response.end();
    return;
  }
  provider.callback()(request, response);
}

const server = settings.tls ? createSecureServer(settings.tls, answer) : createServer(answer);
server.listen(settings.port, host, () => {
  const issuer = settings.issuer ?? `http://${host}:${server.address().port}`;
  provider = newProvider(issuer);
  console.log(issuer);
});

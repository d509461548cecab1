// A real OpenID provider for the browser tests: the npm package oidc-provider, with the login form that it has for
// development. Whoever types a name is somebody of that name.
//
//     OIDC_PROVIDER=…/node_modules/oidc-provider node openid-provider.mjs '{"alg": "ES256", …}'
//
// It prints its issuer, reads the address that it sends browsers back to, and runs until its standard input ends.

import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const settings = JSON.parse(process.argv[2]);
const entry = createRequire(import.meta.url).resolve(process.env.OIDC_PROVIDER);
const { default: Provider } = await import(pathToFileURL(entry));

const key = (type, options, alg) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: "jwk" }),
  alg,
  kid: alg,
  use: "sig",
});

let handle = (_, response) => response.writeHead(503).end();
const server = createServer((request, response) => handle(request, response));
// Another site than 127.0.0.1, where the page is: only there a browser tells Strict cookies from Lax ones.
server.listen(0, "localhost", () => {
  const issuer = `http://localhost:${server.address().port}`;
  console.log(issuer);
  const lines = createInterface({ input: process.stdin });
  lines.once("line", (redirectUri) => {
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: "gateway",
          client_secret: settings.client_secret,
          token_endpoint_auth_method: settings.client_secret ? settings.auth_method : "none",
          redirect_uris: [redirectUri],
          id_token_signed_response_alg: settings.alg,
        },
      ],
      jwks: { keys: [key("rsa", { modulusLength: 2048 }, "RS256"), key("ec", { namedCurve: "P-256" }, "ES256")] },
      claims: { openid: ["sub"], email: ["email", "email_verified"] },
      // As the standard has it, an address is told by the userinfo endpoint alone.
      conformIdTokenClaims: settings.email_in === "userinfo",
      enabledJWA: { idTokenSigningAlgValues: ["RS256", "ES256"] },
      pkce: { required: () => true },
      cookies: { keys: ["of this test alone"] },
      findAccount: (_, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: id !== "unverified" }),
      }),
    });
    handle = provider.callback();
    console.log("ready");
  });
  lines.once("close", () => process.exit(0));
});

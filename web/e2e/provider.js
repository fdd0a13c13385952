// A provider that gives a code, and tokens once its page was opened (RFC 8628).
import { createServer } from 'node:http';

/** One at a port that is free. */
export async function provider() {
  const state = { isAllowed: false };
  const server = createServer((request, response) => {
    const say = (status, body) => response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
    request.resume();
    if (request.method === 'GET') {
      state.isAllowed = true;
      return response.writeHead(200, { 'Content-Type': 'text/html' }).end('<h1>Thank you</h1>');
    }
    if (request.url === '/device') return say(200, { device_code: 'goose', user_code: 'WXYZ-1234', verification_uri: `${state.url}/page`, expires_in: 900, interval: 1 });
    return state.isAllowed ? say(200, { access_token: 'feather', refresh_token: 'nest', expires_in: 3600 }) : say(400, { error: 'authorization_pending' });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return Object.assign(state, { url: `http://127.0.0.1:${server.address().port}`, end: () => server.close() });
}

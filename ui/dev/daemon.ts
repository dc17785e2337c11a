// For development alone: carries /api and /ws of Vite's server to the daemon's own socket.
import http from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Plugin } from 'vite';

export function daemon(home: string | undefined): Plugin {
  const socketPath = join(home ?? join(homedir(), '.clauderon'), 'clauderon.sock');
  return {
    name: 'clauderon-daemon',
    apply: 'serve',
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        if (!request.url?.startsWith('/api')) return next();
        const { method, url: path, headers } = request;
        const onward = http.request({ socketPath, method, path, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        onward.on('error', () => {
          response.writeHead(502, { 'content-type': 'application/json' });
          response.end(JSON.stringify({ code: 'failed', message: 'The daemon does not answer.' }));
        });
        response.on('close', () => onward.destroy());
        request.pipe(onward);
      });
      server.httpServer?.on('upgrade', (request, socket, head) => {
        if (!request.url?.startsWith('/ws/')) return;
        const { url: path, headers } = request;
        const onward = http.request({ socketPath, path, headers: { ...headers, origin: undefined } });
        onward.on('upgrade', (answer, far, rest) => {
          const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${String(value)}`);
          socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
          socket.write(rest);
          far.write(head);
          far.pipe(socket).pipe(far);
          far.on('error', () => socket.destroy());
          socket.on('error', () => far.destroy());
        });
        onward.on('response', () => socket.destroy());
        onward.on('error', () => socket.destroy());
        onward.end();
      });
    },
  };
}

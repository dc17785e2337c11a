// Runs a TypeScript file of this folder with Vite's own loader: node e2e/run.js e2e/serve.ts
import { runnerImport } from 'vite';

const [file] = process.argv.slice(2);
process.argv.splice(1, 1);
await runnerImport(new URL(file ?? '', `file://${process.cwd()}/`).pathname, { configFile: false, logLevel: 'error' });

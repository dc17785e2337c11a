// Serves the built page from a daemon with the scripted upstream until it is interrupted: for looking at it.
import { makeWorld } from './world.ts';

const world = await makeWorld(process.argv[2] ? { at: process.argv[2] } : {});
console.log(world.link);
process.on('SIGINT', () => void world.stopDaemon().then(() => process.exit(0)));
process.on('SIGUSR2', () => void world.restart().then(console.log));

/* global PLACES, BEGIN, STAR_SLASH, BUNDLE, NAME, KEPT */
// Stands in front of the parts of a bundle (parts.mjs): finds them in its own file and runs one when it is first required.
//
// What V8 has made of the parts that a guest's start needs is kept, because that takes a third of the launcher's time: of root's runs only,
// in a folder that only root can write, under the identities of the bundle and of node, and with a digest of its own, since V8 does not survive
// damaged code. Without it everything is compiled, as ever.
const fs = require('node:fs');
const vm = require('node:vm');

const FOLDER = '/var/cache/passqemu/code';
/** By then a guest runs, and most of what its start needs has been called once. */
const KEEP_AFTER_MS = 1500;

const file = fs.readFileSync(__filename);
const begin = file.indexOf(BEGIN.join('')) + BEGIN.join('').length;
const loaded = new Map();
const scripts = new Map();
const place = keptPlace();
const kept = place === null ? new Map() : readKept(place);

function load(name) {
  const found = PLACES[name];
  if (found === undefined) return require(name);
  let module = loaded.get(name);
  if (module !== undefined) return module.exports;
  module = { exports: {} };
  loaded.set(name, module);
  const text = file.latin1Slice(begin + found[0], begin + found[1]).replaceAll(STAR_SLASH, '*/');
  const script = new vm.Script(`(function (exports, require, module, __filename) {${text}\n})`, {
    filename: `${__filename}#${name.slice(2)}`,
    cachedData: kept.get(name),
  });
  // Made under other options of V8's, say
  if (script.cachedDataRejected) kept.delete(name);
  scripts.set(name, script);
  script.runInThisContext()(module.exports, load, module, __filename);
  return module.exports;
}

/** Where this command's code is kept, or null. */
function keptPlace() {
  // libvirt names the guest first
  const command = process.argv[NAME === 'qemu' ? 3 : 2];
  if (process.getuid?.() !== 0 || !KEPT.includes(command)) return null;
  try {
    // A bundle that somebody has edited still has its digest
    const identities = [__filename, process.execPath].map((path) => {
      const { size, mtimeMs } = fs.statSync(path);
      return `${size}-${Math.round(mtimeMs)}`;
    });
    return `${FOLDER}/${NAME}.${command}.${BUNDLE}-${process.version}-${identities.join('-')}`;
  } catch {
    return null;
  }
}

function digestOf(bytes) {
  return require('node:crypto').createHash('sha256').update(bytes).digest();
}

function isOurs({ uid, mode }) {
  return uid === 0 && (mode & 0o022) === 0;
}

/** A digest, the length of a table, the table of the parts' places, the parts. */
function readKept(path) {
  const parts = new Map();
  try {
    if (!isOurs(fs.lstatSync(FOLDER)) || !isOurs(fs.lstatSync(path))) return parts;
    const bytes = fs.readFileSync(path);
    if (!digestOf(bytes.subarray(32)).equals(bytes.subarray(0, 32))) return parts;
    const data = 36 + bytes.readUInt32LE(32);
    const table = JSON.parse(bytes.latin1Slice(36, data));
    for (const [name, from, to] of table) parts.set(name, bytes.subarray(data + from, data + to));
  } catch {
    // Only slower
  }
  return parts;
}

function keep() {
  // What failed has called little of what it loaded
  if (place === null || process.exitCode || [...scripts.keys()].every((name) => kept.has(name))) return;
  try {
    for (const [name, script] of scripts) kept.set(name, script.createCachedData());
    let offset = 0;
    const table = [...kept].map(([name, { length }]) => {
      offset += length;
      return [name, offset - length, offset];
    });
    const words = Buffer.from(JSON.stringify(table));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(words.length);
    const bytes = Buffer.concat([length, words, ...kept.values()]);
    fs.mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
    if (!isOurs(fs.lstatSync(FOLDER))) return;
    const fresh = `${place}.${process.pid}`;
    fs.writeFileSync(fresh, Buffer.concat([digestOf(bytes), bytes]), { flag: 'wx', mode: 0o600 });
    fs.renameSync(fresh, place);
    const own = place.slice(FOLDER.length + 1);
    const command = own.slice(0, own.indexOf(BUNDLE));
    for (const name of fs.readdirSync(FOLDER))
      if (name.startsWith(command) && name !== own) fs.rmSync(`${FOLDER}/${name}`);
  } catch {
    // Only slower the next time
  }
}

if (place !== null) {
  setTimeout(keep, KEEP_AFTER_MS).unref();
  process.on('exit', keep);
}
load('./main.js');

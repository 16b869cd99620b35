import { findTests, runTests } from './node-tests.mjs';
import { ensureModules } from './setup.mjs';
import { ExpectedError, runMain, say } from './step.mjs';

/** `npm run test:unit [-- part of a file's name …]`: the tests that need no built bundle, no browser and no lab. */
await runMain(async (filters) => {
  await ensureModules();
  const all = findTests('.').filter((file) => !/^test\/(?:structure|page)\//.test(file));
  const files = all.filter((file) => filters.length === 0 || filters.some((filter) => file.includes(filter)));
  if (files.length === 0)
    throw new ExpectedError(`Cannot test: no file's name holds ${filters.join(' or ')}`);
  const { passed, failed } = await runTests(files);
  say(`${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
});

define([], function () {
  return { name: 'helper beside the script' };
});

// Azurite asks for this package at load and uses it only when telemetry is on. Ours is always off
// (--disableTelemetry), so an empty module saves 240 MB of an install. See docs/decisions/0005.
module.exports = {};

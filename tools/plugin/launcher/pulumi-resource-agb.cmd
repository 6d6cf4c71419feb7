@echo off
rem Starts the plugin with the Node.js on the PATH.
where node >nul 2>nul
if errorlevel 1 (
  echo The plugin agb could not start: it needs Node.js 20.18.1 or newer, and there is no `node` on the PATH. Install Node.js, or install the plugin for this system, which contains its own. [AGB122] >&2
  exit /b 1
)
node "%~dp0pulumi-resource-agb.cjs" %*

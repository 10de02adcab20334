@echo off
rem Starts the course on Windows. If something fails, this window stays open, so that you can read why.
setlocal
title The linked.is course
pushd "%~dp0"
if not exist lab.py goto packed
set "PYTHON=py -3"
%PYTHON% -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul
if not errorlevel 1 goto start
set "PYTHON=python"
%PYTHON% -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>nul
if not errorlevel 1 goto start
rem An older Python: lab.py says what it can do.
%PYTHON% -c "" >nul 2>nul
if not errorlevel 1 goto start
set "PYTHON=py -3"
%PYTHON% -c "" >nul 2>nul
if not errorlevel 1 goto start
echo There is no Python here. You need Python 3.11 or newer.
echo If your instructor has put it into the folder "installers", open that file.
echo If not, get it from https://www.python.org/downloads/
echo Then open this file again.
goto failed
:packed
echo This file needs the files beside it. Unpack the whole zip first:
echo right-click the zip, choose "Extract All...", and open this file in the new folder.
goto failed
:start
%PYTHON% lab.py %*
if not errorlevel 1 exit /b 0
:failed
echo.
pause
exit /b 1

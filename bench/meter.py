"""Run one command, then print its exit status, wall seconds, CPU seconds and peak memory in bytes.

    python -I -S meter.py SECONDS STDOUT STDERR COMMAND...

This is a separate, minimal program because the peak memory of a child starts at that of the process that forked it:
a large parent would hide what curl uses. The smallest value that can be measured is that of this interpreter, about
9 MB. A command that is still running after SECONDS is killed.
"""
import os
import signal
import sys
import time

seconds, stdout, stderr, *command = sys.argv[1:]
to_file = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
started = time.perf_counter()
pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[
    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
    (os.POSIX_SPAWN_OPEN, 1, stdout, to_file, 0o600),
    (os.POSIX_SPAWN_OPEN, 2, stderr, to_file, 0o600),
])
signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
signal.alarm(int(seconds))
_, waited, usage = os.wait4(pid, 0)
wall = time.perf_counter() - started
peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(os.waitstatus_to_exitcode(waited), wall, usage.ru_utime + usage.ru_stime, peak)

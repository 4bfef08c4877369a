/*
 * Runs a program to its end and measures its wall-clock time, processor
 * time, and maximum resident memory (getrusage(2)).
 *
 *   usage PROGRAM [ARGUMENT]...
 *
 * Prints one JSON object; the program's own output is discarded.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double ms_of(struct timeval t) { return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3; }

int main(int argc, char **argv) {
  if (argc < 2) errx(2, "usage: usage PROGRAM [ARGUMENT]...");
  double start = now_ms();
  pid_t pid = fork();
  if (pid < 0) err(1, "fork");
  if (pid == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) err(1, "/dev/null");
    execvp(argv[1], argv + 1);
    err(127, "%s", argv[1]);
  }
  int status;
  struct rusage usage;
  if (wait4(pid, &status, 0, &usage) < 0) err(1, "wait4");
  double wall_ms = now_ms() - start;
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) errx(1, "%s failed", argv[1]);
  printf("{\"wallMs\":%.2f,\"cpuMs\":%.2f,\"mostKib\":%ld}\n", wall_ms,
         ms_of(usage.ru_utime) + ms_of(usage.ru_stime), usage.ru_maxrss);
  return 0;
}

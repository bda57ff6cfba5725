/* Appends one line, the execution's id and the wall clock in nanoseconds, to the file it is given.
 *
 * One write with O_APPEND, so lines of programs that run at the same time never mix. Small and static: the
 * figure is when the scheduler started it, not how long its own start takes.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    struct timespec now;
    char line[256];
    const char *execution = getenv("CRON_EXECUTION");

    clock_gettime(CLOCK_REALTIME, &now);
    if (argc < 2)
        return 2;
    int file = open(argv[1], O_WRONLY | O_APPEND | O_CREAT, 0644);
    if (file < 0)
        return 1;
    int size = snprintf(line, sizeof line, "%s %lld%09ld\n", execution ? execution : "-",
                        (long long)now.tv_sec, now.tv_nsec);
    return write(file, line, size) == size ? 0 : 1;
}

// The C of the fault injector: a library to preload that stands between a program and its disk.
//
// It counts calls on files below FAULT_DIRECTORY and obeys the rules in FAULT_CONTROL, read anew at
// every call, one a line:
//
//     sync|write  delay|fail|hold|short|tear  VALUE  FIRST  LAST
//
// FIRST and LAST are call numbers since start, counted from 1 for each kind, inclusive. `delay` waits VALUE
// milliseconds, `fail` fails with errno VALUE, `hold` waits until the rule is gone from the file. For writes alone:
// `short` writes half and says so, `tear` writes half and fails. Each call leaves a line `kind number path` in
// FAULT_TRACE when it begins. It lives here as text since a Swift target holds no C.

/// Compiled at test time by `FaultInjector`.
let faultInjectorSource = #"""
    #define _GNU_SOURCE
    #include <dlfcn.h>
    #include <errno.h>
    #include <fcntl.h>
    #include <stdatomic.h>
    #include <stdio.h>
    #include <stdlib.h>
    #include <string.h>
    #include <sys/stat.h>
    #include <sys/syscall.h>
    #include <sys/uio.h>
    #include <time.h>
    #include <unistd.h>

    static atomic_long sync_calls, write_calls;

    static int concerned(int fd, char *path, size_t size) {
        const char *root = getenv("FAULT_DIRECTORY");
        char link[64];
        if (!root) return 0;
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = syscall(SYS_readlinkat, AT_FDCWD, link, path, size - 1);
        if (length <= 0) return 0;
        path[length] = 0;
        return strncmp(path, root, strlen(root)) == 0;
    }

    static void trace(const char *kind, long number, const char *path) {
        const char *file = getenv("FAULT_TRACE");
        char line[4352];
        int length = snprintf(line, sizeof line, "%s %ld %s\n", kind, number, path);
        int fd = file ? open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
        if (fd < 0) return;
        syscall(SYS_write, fd, line, length);
        close(fd);
    }

    struct rule { char action[16]; long value; };

    static int find_rule(const char *kind, long number, struct rule *rule) {
        char text[4096], *rest, *line;
        const char *file = getenv("FAULT_CONTROL");
        int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
        if (fd < 0) return 0;
        ssize_t length = read(fd, text, sizeof text - 1);
        close(fd);
        text[length > 0 ? length : 0] = 0;
        for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
            char of[16];
            long first, last;
            if (sscanf(line, "%15s %15s %ld %ld %ld", of, rule->action, &rule->value, &first, &last) == 5
                && strcmp(of, kind) == 0 && number >= first && number <= last)
                return 1;
        }
        return 0;
    }

    static void wait_milliseconds(long milliseconds) {
        struct timespec time = { milliseconds / 1000, milliseconds % 1000 * 1000000 };
        nanosleep(&time, NULL);
    }

    enum decision { GO_ON, FAIL, SHORT, TEAR };

    /* What to do with a call; errno is set where it is to fail. */
    static enum decision decide(const char *kind, atomic_long *calls, int fd) {
        char path[4096];
        struct rule rule;
        if (!concerned(fd, path, sizeof path)) return GO_ON;
        long number = atomic_fetch_add(calls, 1) + 1;
        trace(kind, number, path);
        while (find_rule(kind, number, &rule)) {
            errno = (int)rule.value;
            if (strcmp(rule.action, "fail") == 0) return FAIL;
            if (strcmp(rule.action, "short") == 0) return SHORT;
            if (strcmp(rule.action, "tear") == 0) return TEAR;
            if (strcmp(rule.action, "delay") == 0) { wait_milliseconds(rule.value); return GO_ON; }
            wait_milliseconds(2);
        }
        return GO_ON;
    }

    #define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

    /* HALF writes the first half of what ALL would write. */
    #define WRITE(half, all) do { \
        enum decision decision = decide("write", &write_calls, fd); \
        int number = errno; \
        if (decision == GO_ON) return (all); \
        ssize_t written = decision == FAIL ? -1 : (half); \
        if (decision == SHORT) return written; \
        errno = number; \
        return -1; \
    } while (0)

    static size_t half_of(size_t count) { return count > 1 ? count / 2 : count; }

    int fdatasync(int fd) { return decide("sync", &sync_calls, fd) == FAIL ? -1 : REAL(fdatasync)(fd); }
    int fsync(int fd) { return decide("sync", &sync_calls, fd) == FAIL ? -1 : REAL(fsync)(fd); }
    int sync_file_range(int fd, off_t offset, off_t count, unsigned flags) {
        return decide("sync", &sync_calls, fd) == FAIL ? -1 : REAL(sync_file_range)(fd, offset, count, flags);
    }
    ssize_t write(int fd, const void *bytes, size_t count) {
        WRITE(syscall(SYS_write, fd, bytes, half_of(count)), syscall(SYS_write, fd, bytes, count));
    }
    ssize_t writev(int fd, const struct iovec *parts, int count) {
        WRITE(syscall(SYS_write, fd, parts[0].iov_base, half_of(parts[0].iov_len)), syscall(SYS_writev, fd, parts, count));
    }
    ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset) {
        WRITE(REAL(pwrite)(fd, bytes, half_of(count), offset), REAL(pwrite)(fd, bytes, count, offset));
    }
    ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset) {
        WRITE(REAL(pwrite64)(fd, bytes, half_of(count), offset), REAL(pwrite64)(fd, bytes, count, offset));
    }
    ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
        WRITE(REAL(pwrite)(fd, parts[0].iov_base, half_of(parts[0].iov_len), offset), REAL(pwritev)(fd, parts, count, offset));
    }
    ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t offset) {
        WRITE(REAL(pwrite64)(fd, parts[0].iov_base, half_of(parts[0].iov_len), offset), REAL(pwritev64)(fd, parts, count, offset));
    }
    """#

/* A runtime that has started stops where it comes to its program, and is forked there for every run of one.

   Loaded into the runtime before its own libraries. It holds no verdict and never runs a byte of a program: whoever does
   is two forks away, the first process of a process namespace of its own between them, without privileges and behind
   the filter of system calls. The agent tells it by a socket when to fork, and what the filter is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/securebits.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SETTING "TASKLAKE_ZYGOTE="
#define PRELOAD "LD_PRELOAD="
#define LONGEST 4096
#define LONGEST_TRIAL_S 10
#define MOST_SPANS 1024
/* What the kernel tells of a page: it is in memory, and in nobody else's. */
#define PRESENT (1ULL << 63)
#define EXCLUSIVE (1ULL << 56)
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
/* Walls that a test leaves out to show what each is good for: as the agent names them. */
enum { CAPABILITIES = 1, PRIVILEGES = 2, SECCOMP = 4, DUMPABLE = 8, DESCRIPTORS = 16, PROCESSES = 32 };

/* What the agent hears when a run has ended: how its first process did, or how far it came, or nothing; microseconds and
   kibibytes. */
#define SILENCE (-1000)
struct ended { int64_t status, user, system, most; };
/* What it says before the first. */
struct told { int32_t off, instructions; struct sock_filter filter[1024]; };

extern char **environ;
static char setting[LONGEST], preload[LONGEST], own[LONGEST];
static const char *watched;
static char *calls;
static int talk = -1, armed, at_read;
static FILE *program;
static struct told told;
/* Of the run that is next or on: the candidate's input, output and errors, the pipe that tells its end, and where it goes
   on. */
static int given[3], status[2];
static jmp_buf back;
/* Memory that a run of an empty program writes to, as that run found it. */
struct span { char *from; size_t length; };
static struct spans { int count; struct span each[MOST_SPANS]; } written, *findings;
static char stack[1 << 16] __attribute__((aligned(16)));

/* The rest of the variable that begins so, taken out of the environment and out of what others can see of it. */
static void taken(const char *name, char *kept) {
    size_t length = strlen(name);
    for (char **each = environ; *each; each++) {
        if (strncmp(*each, name, length)) continue;
        snprintf(kept, LONGEST, "%s", *each);
        memset(*each, 0, strlen(*each));
        for (char **rest = each; (*rest = rest[1]); rest++) continue;
        return;
    }
}

/* The setting is DESCRIPTOR:MOMENT:FILE, and a line for each function to be called before the first fork. */
__attribute__((constructor)) static void begin(void) {
    taken(SETTING, setting);
    taken(PRELOAD, preload);
    /* What comes over to the next program is left as it is. */
    memcpy(own, setting, sizeof own);
    char *moment = strchr(own, ':'), *file = moment ? strchr(moment + 1, ':') : NULL;
    if (!file) return;
    talk = atoi(own + strlen(SETTING));
    at_read = !strncmp(moment, ":read:", 6);
    watched = file + 1;
    calls = strchr(watched, '\n');
    if (calls) *calls++ = 0;
    armed = 1;
}

static void put(const char *path, const char *text) {
    int file = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    if (write(file, text, strlen(text)) < 0) { /* What follows fails then. */ }
    close(file);
}

/* How many threads this process has: a fork would lose all but one. */
static int threads(void) {
    struct stat found;
    /* The folder of tasks has a link for each, and two more. */
    return stat("/proc/self/task", &found) ? -1 : (int)found.st_nlink - 2;
}

static void refuse(const char *why) {
    char text[256];
    snprintf(text, sizeof text, "%s (%s)", why, strerror(errno));
    send(talk, text, strlen(text), MSG_NOSIGNAL);
    _exit(1);
}

/* Functions of the runtime's own are called, each with the text behind its name or with what the first one told. */
static void prepare(void) {
    long first = 0;
    for (char *line = calls, *next; line && *line; line = next) {
        next = strchr(line, '\n');
        if (next) *next++ = 0;
        char *text = strchr(line, ' ');
        if (text) *text++ = 0;
        long (*call)(long) = (long (*)(long))dlsym(RTLD_DEFAULT, line);
        if (!call) refuse("the runtime lacks a function that its pack names");
        long result = call(text ? (long)text : first);
        if (line == calls) first = result;
    }
}

/* Pages that are this process's alone are those that it has written to since it was forked. */
static void find_own(char *from, char *end, int pagemap) {
    size_t page = sysconf(_SC_PAGESIZE);
    struct span *last = findings->each + findings->count - 1;
    for (uint64_t found; from < end; from += page) {
        if (pread(pagemap, &found, sizeof found, (uintptr_t)from / page * sizeof found) != sizeof found) return;
        if (~found & (PRESENT | EXCLUSIVE)) continue;
        if (findings->count && last->from + last->length == from) last->length += page;
        else if (findings->count == MOST_SPANS) return;
        else *(last = findings->each + findings->count++) = (struct span){ from, page };
    }
}

/* The trial ends. */
__attribute__((destructor)) static void report(void) {
    if (!findings) return;
    FILE *maps = fopen("/proc/self/maps", "re");
    int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    char line[LONGEST], rights[5];
    void *from, *end;
    while (maps && fgets(line, sizeof line, maps))
        if (sscanf(line, "%p-%p %4s", &from, &end, rights) == 3 && !strcmp(rights, "rw-p")) find_own(from, end, pagemap);
}

/* True in a run of the empty program that stands in for all, from which the zygote learns what runs write to. */
static int is_trial(void) {
    findings = mmap(NULL, sizeof *findings, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t pid = findings == MAP_FAILED ? -1 : fork();
    if (pid < 0) _exit(1);
    if (!pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        alarm(LONGEST_TRIAL_S);
        return 1;
    }
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) continue;
    written = *findings;
    /* Else each run could write to what the others go by. */
    munmap(findings, sizeof *findings);
    findings = NULL;
    return 0;
}

/* A user namespace in which this process may make others, though it may nothing outside of it. */
static void own_users(void) {
    char map[64];
    unsigned user = geteuid(), group = getegid();
    if (unshare(CLONE_NEWUSER)) refuse("no user namespace can be made");
    put("/proc/self/setgroups", "deny");
    snprintf(map, sizeof map, "%u %u 1", user, user);
    put("/proc/self/uid_map", map);
    snprintf(map, sizeof map, "%u %u 1", group, group);
    put("/proc/self/gid_map", map);
    if (geteuid() != user) refuse("the user namespace has no user");
}

static int renounce(void) {
    struct { uint32_t version; int32_t pid; } header = { 0x20080522, 0 };
    uint32_t none[6] = { 0 };
    for (int each = 0; each < 64 && !prctl(PR_CAPBSET_DROP, each, 0, 0, 0); each++) continue;
    prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP
          | SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED, 0, 0, 0);
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return syscall(SYS_capset, &header, none);
}

/* The candidate's input, output and errors, when it is to begin; the agent's end is this one's. */
static void receive(void) {
    char byte, room[CMSG_SPACE(3 * sizeof(int))];
    struct iovec part = { &byte, 1 };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    ssize_t got;
    while ((got = recvmsg(talk, &message, MSG_CMSG_CLOEXEC)) < 0 && errno == EINTR) continue;
    struct cmsghdr *sent = got > 0 ? CMSG_FIRSTHDR(&message) : NULL;
    if (!sent || sent->cmsg_len != CMSG_LEN(3 * sizeof(int))) _exit(0);
    memcpy(given, CMSG_DATA(sent), sizeof given);
}

/* This process is a candidate's, and may no more than one; its pipes come when it is to begin. */
static int bind_candidate(void) {
    setsid();
    /* Its own copies of what it is going to write to, made while it waits, are a fault less each. */
    for (int each = 0; each < written.count; each++)
        madvise(written.each[each].from, written.each[each].length, MADV_POPULATE_WRITE);
    if (!(told.off & CAPABILITIES) && renounce()) return 2;
    /* Else it could not even open its own input anew. */
    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    if (!(told.off & PRIVILEGES) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) return 3;
    struct sock_fprog filter = { (unsigned short)told.instructions, told.filter };
    return !(told.off & SECCOMP) && prctl(PR_SET_SECCOMP, 2, &filter, 0, 0) ? 4 : 0;
}

/* What it inherits is its three pipes. */
static int take_pipes(void) {
    receive();
    for (int each = 0; each < 3; each++)
        if (dup2(given[each], each) < 0) return 1;
    for (int each = 0; each < 3; each++) close(given[each]);
    if (told.off & DESCRIPTORS) return 0;
    close(talk);
    close(status[1]);
    return 0;
}

static void answer(const void *what, size_t size) {
    if (send(talk, what, size, MSG_NOSIGNAL) < 0) _exit(1);
}

/* Waits for everybody in its namespace until the candidate has ended; all others end with it. */
static void attend(pid_t candidate, int telling) {
    int ended, mine = dup2(telling, 0);
    for (int each = 1; each < NSIG; each++) signal(each, SIG_DFL);
    syscall(SYS_close_range, 1, ~0U, 0);
    renounce();
    pid_t who;
    while ((who = waitpid(-1, &ended, 0)) != candidate)
        if (who < 0 && errno != EINTR) _exit(1);
    if (write(mine, &ended, sizeof ended) < 0) _exit(1);
    _exit(0);
}

static void give_up(int telling, int failed) {
    if (write(telling, &failed, sizeof failed) < 0) { /* The silence is told as well. */ }
    _exit(1);
}

/* The agent knows this process by its number, and by a descriptor that stays true when it has ended. */
static void show_itself(int64_t pid) {
    char room[CMSG_SPACE(sizeof(int))] = { 0 };
    struct iovec part = { &pid, sizeof pid };
    struct msghdr message = { .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof room };
    struct cmsghdr *sent = CMSG_FIRSTHDR(&message);
    sent->cmsg_level = SOL_SOCKET;
    sent->cmsg_type = SCM_RIGHTS;
    sent->cmsg_len = CMSG_LEN(sizeof(int));
    int itself = syscall(SYS_pidfd_open, getpid(), 0);
    memcpy(CMSG_DATA(sent), &itself, sizeof itself);
    if (itself < 0 || sendmsg(talk, &message, MSG_NOSIGNAL) < 0) _exit(1);
    close(itself);
}

/* The first process of a run's namespace. It has the zygote's memory, which stands still meanwhile, and a stack of its
   own: only one copy is made, the candidate's, who goes on where the zygote came in. */
static int begin_run(void *unused) {
    char text[32];
    ssize_t length = readlink("/proc/self", text, sizeof text - 1);
    (void)unused;
    text[length > 0 ? length : 0] = 0;
    show_itself(atoi(text));
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (!(told.off & PROCESSES) && mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
        give_up(status[1], -5);
    pid_t candidate = fork();
    if (candidate) attend(candidate, status[1]);
    close(status[0]);
    int failed = bind_candidate();
    if (!failed) failed = take_pipes();
    if (failed) give_up(status[1], -failed);
    longjmp(back, 1);
}

/* One run, from its first process to its end: made before it is asked for, it waits for that. */
static void run(void) {
    int64_t pid = pipe2(status, O_CLOEXEC) ? -errno : 0;
    int spaces = CLONE_NEWNS | (told.off & PROCESSES ? 0 : CLONE_NEWPID);
    if (!pid && (pid = clone(begin_run, stack + sizeof stack, CLONE_VM | CLONE_VFORK | spaces | SIGCHLD, NULL)) < 0)
        pid = -errno;
    if (pid < 0) {
        answer(&pid, sizeof pid);
        _exit(1);
    }
    close(status[1]);
    struct ended ended = { SILENCE, 0, 0, 0 };
    struct rusage used;
    int found, word;
    while (wait4(pid, &found, 0, &used) < 0 && errno == EINTR) continue;
    if (read(status[0], &word, sizeof word) == sizeof word) ended.status = word;
    close(status[0]);
    ended.user = used.ru_utime.tv_sec * 1000000LL + used.ru_utime.tv_usec;
    ended.system = used.ru_stime.tv_sec * 1000000LL + used.ru_stime.tv_usec;
    ended.most = used.ru_maxrss;
    answer(&ended, sizeof ended);
}

/* Forks for each run that is asked for; returns in the candidates alone. */
static void serve(void) {
    armed = 0;
    prepare();
    if (threads() != 1) refuse("the runtime has threads");
    own_users();
    answer("ready", 5);
    if (recv(talk, &told, sizeof told, 0) < 8) _exit(0);
    if (is_trial()) return;
    if (!(told.off & DUMPABLE)) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (setjmp(back)) return;
    for (;;) {
        /* A runtime that has come to do anything but wait is no base for a run. */
        if (threads() != 1) _exit(1);
        run();
    }
}

/* True for the program's name, alone or behind the folder that all this happens in. */
static int is_watched(const char *path) {
    char here[LONGEST];
    if (!armed || !path) return 0;
    if (*path == '/' && getcwd(here, sizeof here)) {
        size_t length = strlen(here);
        if (strncmp(path, here, length) || path[length] != '/') return 0;
        path += length + 1;
    }
    return !strcmp(path, watched);
}

static void opening(const char *path) {
    if (is_watched(path) && !at_read) serve();
}

/* The stream was opened on a file that stood in for the program; from here on it is the program's. */
static void reading(FILE *stream) {
    if (!armed || !stream || stream != program) return;
    serve();
    int file = syscall(SYS_openat, AT_FDCWD, watched, O_RDONLY | O_CLOEXEC);
    dup2(file, fileno(stream));
    close(file);
}

#define REAL(name) \
    static __typeof__(name) *real; \
    if (!real) real = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        opening(path); \
        return real(path, flags, mode); \
    }
#define OPENAT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = va_arg(more, mode_t); \
        va_end(more); \
        opening(path); \
        return real(folder, path, flags, mode); \
    }
#define FOPEN(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(name); \
        opening(path); \
        FILE *stream = real(path, mode); \
        if (is_watched(path)) program = stream; \
        return stream; \
    }
#define GETC(name) \
    int name(FILE *stream) { \
        REAL(name); \
        reading(stream); \
        return real(stream); \
    }

int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int _IO_getc(FILE *stream);
#undef getc
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)
GETC(fgetc)
GETC(getc)
GETC(_IO_getc)

char *fgets(char *text, int size, FILE *stream) {
    REAL(fgets);
    reading(stream);
    return real(text, size, stream);
}

size_t fread(void *data, size_t size, size_t count, FILE *stream) {
    REAL(fread);
    reading(stream);
    return real(data, size, count, stream);
}

int __open_2(const char *path, int flags) {
    REAL(__open_2);
    opening(path);
    return real(path, flags);
}

int __open64_2(const char *path, int flags) {
    REAL(__open64_2);
    opening(path);
    return real(path, flags);
}

/* A runtime may be started by a script that becomes it: what was taken out of the environment goes with it. */
int execve(const char *path, char *const *words, char *const *variables) {
    REAL(execve);
    if (!armed) return real(path, words, variables);
    size_t count = 0;
    while (variables[count]) count++;
    char *more[count + 3];
    memcpy(more, variables, count * sizeof *more);
    more[count] = setting;
    more[count + 1] = preload;
    more[count + 2] = NULL;
    return real(path, words, more);
}

int execv(const char *path, char *const *words) { return execve(path, words, environ); }

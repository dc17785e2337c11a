/* Asks the kernel for things a sandbox must not have, and prints what it was given. Linked statically: any image runs it. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void families(void) {
    for (long family = 0; family < 64; family++) {
        int pair[2];
        if (syscall(SYS_socket, family, SOCK_STREAM, 0) >= 0 || syscall(SYS_socket, family, SOCK_RAW, 0) >= 0)
            printf("socket %ld\n", family);
        if (socketpair((int)family, SOCK_STREAM, 0, pair) >= 0)
            printf("pair %ld\n", family);
    }
    /* Refused before the kernel looks at the rest of the call, which is nonsense: a filter, not a missing module. */
    long odd[] = {AF_VSOCK, AF_ALG, AF_PACKET, 0x100000000L | AF_VSOCK};
    for (unsigned at = 0; at < sizeof odd / sizeof *odd; at++) {
        long made = syscall(SYS_socket, odd[at], 99L, 99L);
        if (made >= 0 || (errno != EPERM && errno != EAFNOSUPPORT))
            printf("odd %lx %ld %d\n", odd[at], made, errno);
    }
}

static void refused(const char *name, long made) {
    if (made != -1 || (errno != EPERM && errno != ENOSYS))
        printf("%s %ld %s\n", name, made, strerror(errno));
}

#define ASK(call, first) refused(#call, syscall(SYS_##call, (long)(first), 0L, 0L, 0L, 0L, 0L))

static void calls(void) {
    ASK(keyctl, 0);
    ASK(add_key, 0);
    ASK(request_key, 0);
    ASK(bpf, 0);
    ASK(io_uring_setup, 1);
    ASK(io_uring_enter, 0);
    ASK(userfaultfd, 0);
    ASK(perf_event_open, 0);
    ASK(unshare, 0x10000000);
    ASK(unshare, 0x110000000);
    ASK(clone, 0x10000011);
    ASK(clone3, 0);
    ASK(setns, 0);
    ASK(mount, 0);
    ASK(umount2, 0);
    ASK(pivot_root, 0);
    ASK(move_mount, 0);
    ASK(fsopen, 0);
    ASK(open_tree, 0);
    ASK(open_by_handle_at, 0);
    ASK(name_to_handle_at, 0);
    ASK(pidfd_getfd, 0);
    /* TIOCSTI, TIOCLINUX, and TIOCSTI with a high bit that the kernel ignores. */
    unsigned long typing[] = {0x5412, 0x541c, 0x700005412};
    for (unsigned at = 0; at < sizeof typing / sizeof *typing; at++) {
        long made = syscall(SYS_ioctl, 0L, typing[at], "x");
        if (made != -1 || errno != EPERM)
            printf("ioctl %lx %ld %s\n", typing[at], made, strerror(errno));
    }
}

/* The x32 number of socket(): a list of plain numbers alone would let it pass. */
static void foreign(void) {
#ifdef __x86_64__
    long made = syscall(0x40000000L + 41, (long)AF_UNIX, (long)SOCK_STREAM, 0L);
    if (made != -1)
        printf("x32 %ld\n", made);
    /* The 32-bit entry: socketcall would be judged by no rule on arguments. */
    long pid;
    __asm__ volatile("int $0x80" : "=a"(pid) : "a"(20L));
    if (pid > 0)
        printf("i386 %ld\n", pid);
#endif
}

int main(int count, char **words) {
    const char *what = count > 1 ? words[1] : "";
    if (!strcmp(what, "families")) families();
    else if (!strcmp(what, "calls")) calls();
    else if (!strcmp(what, "foreign")) foreign();
    else return 2;
    return 0;
}

/// A program for containers that makes system calls and prints how each of them failed.
enum SystemCallProbe {
    /// Compiles it, statically, as a program at a path.
    static func make(at path: String) throws {
        try write(source, to: path + ".c")
        try onHost("gcc -static -O1 -o '\(path)' '\(path).c' && rm '\(path).c'")
    }

    private static let source = """
        #define _GNU_SOURCE
        #include <errno.h>
        #include <fcntl.h>
        #include <linux/sched.h>
        #include <stdio.h>
        #include <string.h>
        #include <sys/syscall.h>
        #include <unistd.h>

        static void tell(const char *name, long result) {
            printf("%s %s\\n", name, result < 0 ? strerrorname_np(errno) : "0");
        }

        int main(void) {
            char nothing[256] = {0};
            tell("unshare", syscall(SYS_unshare, CLONE_NEWUSER));
            tell("mount", syscall(SYS_mount, "none", "/no/such/place", "tmpfs", 0, 0));
            tell("keyctl", syscall(SYS_keyctl, 0, -3, 0, 0, 0));
            tell("add_key", syscall(SYS_add_key, "user", "name", "x", 1, -1));
            tell("bpf", syscall(SYS_bpf, 0, nothing, 72));
            tell("io_uring_setup", syscall(SYS_io_uring_setup, 1, nothing));
            tell("open_by_handle_at", syscall(SYS_open_by_handle_at, -1, nothing, 0));
            tell("userfaultfd", syscall(SYS_userfaultfd, 0));
            long child = syscall(SYS_clone, CLONE_NEWUSER | 17, 0, 0, 0, 0);
            if (child == 0) _exit(0);
            tell("clone", child);
            tell("clone3", syscall(SYS_clone3, nothing, 0));
            tell("socket-alg", syscall(SYS_socket, 38, 5, 0));
            tell("socket-vsock", syscall(SYS_socket, 40, 1, 0));
            tell("socket-unix", syscall(SYS_socket, 1, 1, 0));
            tell("personality-random", syscall(SYS_personality, 0x40000));
            tell("personality-ask", syscall(SYS_personality, 0xffffffff));
            tell("ptrace", syscall(SYS_ptrace, 16, 0x7fffffff, 0, 0));
            return 0;
        }
        """
}

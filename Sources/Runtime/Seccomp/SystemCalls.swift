/// The system calls that every container may make, by what they are for.
///
/// They work on what the caller has anyway, or the kernel asks for a capability or a permission itself. Together with
/// the rules of `SeccompProfile.standard` they are what Docker allows.
enum SystemCalls {
    static let all: [String] = [
        processes, signals, identities, restrictions, scheduling, memory, descriptors, contents, asynchronous,
        names, attributes, events, connections, exchange, time,
    ].flatMap { $0.split { $0 == " " || $0 == "\n" }.map(String.init) }

    /// Making, running and ending processes, and waiting for them.
    private static let processes = """
        fork vfork execve execveat exit exit_group wait4 waitid waitpid kill tkill tgkill pidfd_open pidfd_send_signal
        process_mrelease getpid getppid gettid getpgid getpgrp getsid setpgid setsid set_tid_address prctl rseq
        set_robust_list get_robust_list futex futex_requeue futex_time64 futex_wait futex_waitv futex_wake membarrier
        set_thread_area get_thread_area uretprobe map_shadow_stack riscv_hwprobe
        """

    /// Signals, and sleeping until one comes.
    private static let signals = """
        rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
        rt_sigtimedwait_time64 rt_tgsigqueueinfo sigaltstack signalfd signalfd4 sigprocmask sigreturn pause
        restart_syscall
        """

    /// Who a process is, and what it may do.
    private static let identities = """
        getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 getresuid getresuid32 getresgid
        getresgid32 getgroups getgroups32 setuid setuid32 setgid setgid32 setreuid setreuid32 setregid setregid32
        setresuid setresuid32 setresgid setresgid32 setfsuid setfsuid32 setfsgid setfsgid32 setgroups setgroups32
        capget capset umask
        """

    /// With which a program gives up rights of its own.
    private static let restrictions = """
        seccomp landlock_create_ruleset landlock_add_rule landlock_restrict_self
        """

    /// Processors, priorities, limits, what was used of them, and what the machine is.
    private static let scheduling = """
        sched_getaffinity sched_getattr sched_getparam sched_get_priority_max sched_get_priority_min
        sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 sched_setaffinity sched_setattr
        sched_setparam sched_setscheduler sched_yield getpriority setpriority ioprio_get ioprio_set getrlimit
        ugetrlimit setrlimit prlimit64 getrusage getcpu times sysinfo uname getrandom
        """

    /// Memory and how it is mapped.
    private static let memory = """
        brk mmap mmap2 munmap mremap mprotect madvise mincore mlock mlock2 mlockall munlock munlockall msync
        remap_file_pages mseal memfd_create memfd_secret pkey_alloc pkey_free pkey_mprotect
        """

    /// Opening and closing files, and what belongs to an open one.
    private static let descriptors = """
        open openat openat2 creat close close_range dup dup2 dup3 fcntl fcntl64 flock ioctl pipe pipe2
        name_to_handle_at
        """

    /// Reading and writing files.
    private static let contents = """
        read readv pread64 preadv preadv2 write writev pwrite64 pwritev pwritev2 lseek _llseek truncate truncate64
        ftruncate ftruncate64 fallocate fadvise64 fadvise64_64 readahead copy_file_range sendfile sendfile64 splice
        tee vmsplice sync syncfs fsync fdatasync sync_file_range cachestat
        """

    /// Reading and writing that is waited for later. Not by io_uring: what is asked for through it passes no filter.
    private static let asynchronous = """
        io_setup io_destroy io_submit io_cancel io_getevents io_pgetevents io_pgetevents_time64
        """

    /// Directories and the names in them.
    private static let names = """
        mkdir mkdirat rmdir mknod mknodat link linkat symlink symlinkat readlink readlinkat unlink unlinkat rename
        renameat renameat2 getdents getdents64 getcwd chdir fchdir
        """

    /// What is known of files: status, owners, modes, times, extended attributes.
    private static let attributes = """
        stat stat64 lstat lstat64 fstat fstat64 fstatat64 newfstatat statx statfs statfs64 fstatfs fstatfs64 statmount
        listmount access faccessat faccessat2 chmod fchmod fchmodat fchmodat2 chown chown32 lchown lchown32 fchown
        fchown32 fchownat utime utimes futimesat utimensat utimensat_time64 getxattr lgetxattr fgetxattr getxattrat
        setxattr lsetxattr fsetxattr setxattrat listxattr llistxattr flistxattr listxattrat removexattr lremovexattr
        fremovexattr removexattrat
        """

    /// Waiting for files and for what happens to them.
    private static let events = """
        select _newselect pselect6 pselect6_time64 poll ppoll ppoll_time64 epoll_create epoll_create1 epoll_ctl
        epoll_ctl_old epoll_wait epoll_wait_old epoll_pwait epoll_pwait2 eventfd eventfd2 inotify_init inotify_init1
        inotify_add_watch inotify_rm_watch fanotify_mark
        """

    /// Sockets; which kinds may be made is a matter of its own.
    private static let connections = """
        socketcall socketpair bind listen accept accept4 connect shutdown getsockname getpeername getsockopt
        setsockopt send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64
        """

    /// Memory, messages and semaphores between processes.
    private static let exchange = """
        ipc shmget shmat shmdt shmctl msgget msgsnd msgrcv msgctl semget semop semtimedop semtimedop_time64 semctl
        mq_open mq_unlink mq_timedsend mq_timedsend_time64 mq_timedreceive mq_timedreceive_time64 mq_notify
        mq_getsetattr
        """

    /// Clocks and timers; setting a clock takes the capability anyway.
    private static let time = """
        time gettimeofday clock_gettime clock_gettime64 clock_getres clock_getres_time64 clock_nanosleep
        clock_nanosleep_time64 clock_adjtime clock_adjtime64 adjtimex nanosleep alarm getitimer setitimer timer_create
        timer_delete timer_getoverrun timer_gettime timer_gettime64 timer_settime timer_settime64 timerfd_create
        timerfd_gettime timerfd_gettime64 timerfd_settime timerfd_settime64
        """
}

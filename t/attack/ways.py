"""One file opened in all ways at once, in an order by chance: no open fails, and each way and each mapping
reads what any other wrote last. Run as: ways.py FOLDER SEED; prints what is wrong."""
import mmap
import os
import random
import sys

folder, seed = sys.argv[1], int(sys.argv[2])
random.seed(seed)
flags_of = {
    "read": os.O_RDONLY,
    "write": os.O_RDWR,
    "only write": os.O_WRONLY,
    "append": os.O_WRONLY | os.O_APPEND,
    "append and read": os.O_RDWR | os.O_APPEND,
    "direct": os.O_RDONLY | os.O_DIRECT,
    "direct write": os.O_RDWR | os.O_DIRECT,
    "truncate": os.O_RDWR | os.O_TRUNC,
}
writes = ("write", "only write", "truncate")
reads = ("read", "write", "append and read", "truncate")
wrong = 0


def tell(*words):
    global wrong
    wrong += 1
    print(f"seed {seed}:", *words)


def fill(fd):
    """Small files and large ones are treated in different ways."""
    os.pwrite(fd, b"x" * random.choice((10, 300000)), 0)


def first_open(nameless):
    how = random.choice(("write", "append and read"))
    if nameless:
        fd = os.open(folder, os.O_TMPFILE | flags_of[how], 0o600)
    else:
        fd = os.open(folder + "/file", os.O_CREAT | os.O_TRUNC | flags_of[how], 0o600)
    fill(fd)
    return how, fd


def check(opened, maps, how):
    mark = bytes([random.randrange(97, 123)]) * 3
    writers = [fd for way, fd in opened if way in writes]
    if not writers:
        return
    os.pwrite(random.choice(writers), mark, 0)
    for way, fd in opened:
        if way in reads and os.pread(fd, 3, 0) != mark:
            tell("content by", way, "after", how)
    for mapped in maps:
        if mapped[:3] != mark:
            tell("content by a mapping after", how)


def step(opened, maps, names):
    how = random.choice(list(flags_of))
    path = random.choice(names + [f"/proc/self/fd/{fd}" for _, fd in opened])
    try:
        fd = os.open(path, flags_of[how])
        opened.append((how, fd))
        if how == "truncate":
            fill(fd)
        readers = [fd for way, fd in opened if way in reads]
        if readers and random.random() < 0.3:
            maps.append(mmap.mmap(random.choice(readers), 10, mmap.MAP_SHARED, mmap.PROT_READ))
        check(opened, maps, how)
    except OSError as error:
        tell("opened to", how, error)
    if len(opened) > 6 or random.random() < 0.2:
        random.shuffle(opened)
        while len(opened) > 1 and random.random() < 0.8:
            os.close(opened.pop()[1])


for nameless in [False, True] * 10:
    opened, maps = [first_open(nameless)], []
    for _ in range(60):
        step(opened, maps, [] if nameless else [folder + "/file"])
    for _, fd in opened:
        os.close(fd)
sys.exit(wrong > 0)

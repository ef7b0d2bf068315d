#!/usr/bin/env perl
# equivalence.pl generate SEED FOLDER: makes FOLDER/source, FOLDER/scopefs.ini with the scope "random",
#     and FOLDER/paths, NUL-terminated: everything in the tree and names that are not there.
# equivalence.pl compare FOLDER: reads what explain says of these paths in FOLDER/answers and prints
#     every access in FOLDER/view that behaves otherwise.
use strict;
use warnings;
use Errno qw(EACCES EEXIST ENOENT);
use Fcntl qw(:DEFAULT :mode);
use JSON::PP qw(decode_json);

my @names = ('a', 'b', 'c', 'ab', 'abc', '.env', 'x.c', 'y.c', 'x.h', 'main', 'B', '-n', 'a b', 'a=b');

sub pick { return $_[ int rand @_ ] }

# --- A random tree and random rules ---

sub make_tree {
    my ($folder, $path, $depth, $found) = @_;
    my %used;
    for my $name (map { pick(@names) } 1 .. 2 + int rand 4) {
        next if $used{$name}++;
        my $entry = $path eq '' ? $name : "$path/$name";
        push @$found, $entry;
        my $dice = rand;
        if ($depth < 4 && $dice < 0.5) {
            mkdir "$folder/source/$entry" or die "$entry: $!";
            make_tree($folder, $entry, $depth + 1, $found);
        } elsif ($dice > 0.95) {
            symlink pick(@names), "$folder/source/$entry" or die "$entry: $!";
        } else {
            open my $file, '>', "$folder/source/$entry" or die "$entry: $!";
            print $file "content of $entry\n";
            close $file or die;
            chmod pick(0644, 0755, 0600, 0664), "$folder/source/$entry" or die;
        }
    }
    # A name at every place that is not there, and one that is nowhere in the rules.
    for my $name (pick(@names), 'absent') {
        next if $used{$name}++;
        push @$found, $path eq '' ? $name : "$path/$name";
    }
    return;
}

# A component that may well match `name`.
sub random_component {
    my ($name) = @_;
    my $dice = rand;
    return $name                                            if $dice < 0.6;
    return '*'                                              if $dice < 0.66;
    return '*' . substr($name, -1)                          if $dice < 0.72;
    return substr($name, 0, 1) . '*'                        if $dice < 0.78;
    return '?' . substr($name, 1)                           if $dice < 0.84;
    return '[' . pick('ab', '!a', 'a-c', 'xy', '!b-z') . ']' . pick('', '*', '.c') if $dice < 0.9;
    return '{' . join(',', pick(@names), $name) . '}';
}

# Made from a path of the tree, so that most rules have something to match there.
sub random_pattern {
    my ($found) = @_;
    my @components = split m{/}, pick(@$found);
    my $anchored = rand() < 0.5;
    splice @components, 0, int rand @components unless $anchored;
    splice @components, 1 + int rand @components;
    @components = map { rand() < 0.08 ? '**' : random_component($_) } @components;
    my $pattern = ($anchored ? '/' : rand() < 0.3 ? '**/' : '') . join('/', @components);
    return '"' . $pattern . (rand() < 0.2 ? '/' : '') . '"';
}

sub make_rules {
    my ($folder, $found) = @_;
    open my $file, '>', "$folder/scopefs.ini" or die;
    print $file "[scope random]\nsource = source\ndefault = ", pick(qw(none none view read write)), "\n";
    print $file "\n[rules random]\n";
    print $file pick(qw(none none view read write write)), " = ", random_pattern($found), "\n"
        for 1 .. 2 + int rand 12;
    if (rand() < 0.6) {
        print $file "\n[ceiling random]\n";
        print $file pick(qw(none view read)), " = ", random_pattern($found), "\n"
            for 1 .. 1 + int rand 3;
    }
    close $file or die;
    return;
}

sub generate {
    my ($seed, $folder) = @_;
    srand $seed;
    umask 022;
    mkdir "$folder/source" or die "$folder/source: $!";
    my @found;
    make_tree($folder, '', 1, \@found);
    make_rules($folder, \@found);
    open my $file, '>', "$folder/paths" or die;
    # A leading slash keeps a name that begins with a dash from being an option.
    print $file "/$_\0" for @found;
    close $file or die;
    return;
}

# --- What each access should give, by the level alone ---

sub errno_name {
    my ($number) = @_;
    return 'ok' unless $number;
    for (keys %!) { return $_ if $!{$_} }
    return $number;
}

# Runs an access that returns true on success; 'ok' or the name of the errno.
sub attempt {
    my ($access) = @_;
    local $! = 0;
    return 'ok' if $access->();
    my $number = $! + 0;
    $! = $number;
    return errno_name($number);
}

my $failures = 0;

sub expect {
    my ($path, $level, $access, $got, $wanted) = @_;
    return if $got eq $wanted;
    print "$path ($level): $access gives $got, expected $wanted\n";
    $failures++;
    return;
}

sub opens {
    my ($path, $flags) = @_;
    return attempt(sub { sysopen(my $file, $path, $flags, 0644) });
}

# A directory on the way to something visible is shown although its own level is none.
sub is_visible {
    my ($answer, $is_directory) = @_;
    return 1 if $answer->{level} ne 'none';
    return $is_directory && $answer->{way_through};
}

sub compare_mode {
    my ($answer, $path, $source_mode, $mode) = @_;
    return if $answer->{level} eq 'none';
    my $wanted = S_IMODE($source_mode);
    $wanted &= 0555 if $answer->{level} eq 'read';
    $wanted = 0 if $answer->{level} eq 'view';
    expect($path, $answer->{level}, 'mode', sprintf('%o', S_IMODE($mode)), sprintf('%o', $wanted));
    return;
}

sub compare_existing {
    my ($folder, $path, $answer, $source_mode, $parent_names) = @_;
    my $place   = "$folder/view/$path";
    my $level   = $answer->{level};
    my $is_dir  = S_ISDIR($source_mode);
    my $visible = is_visible($answer, $is_dir);

    my @status;
    my $seen = attempt(sub { @status = lstat $place; scalar @status });
    expect($path, $level, 'lstat', $seen, $visible ? 'ok' : 'ENOENT');
    my ($name) = $path =~ m{([^/]+)\z};
    expect($path, $level, 'listed', $parent_names->{$name} ? 'yes' : 'no', $visible ? 'yes' : 'no');
    compare_mode($answer, $path, $source_mode, $status[2]) if @status && !S_ISLNK($source_mode);

    my $read = { none => 'ENOENT', view => 'EACCES', read => 'ok', write => 'ok' }->{$level};
    my $change = { none => 'ENOENT', view => 'EACCES', read => 'EACCES', write => 'ok' }->{$level};
    if (S_ISLNK($source_mode)) {
        expect($path, $level, 'readlink', attempt(sub { defined readlink $place }), $read);
        return;
    }
    if ($is_dir) {
        expect($path, $level, 'opendir', attempt(sub { opendir(my $handle, $place) }),
            $visible ? 'ok' : 'ENOENT');
        expect($path, $level, 'mkdir', attempt(sub { mkdir $place }), $visible ? 'EEXIST' : 'EACCES');
        return;
    }
    expect($path, $level, 'open for reading', opens($place, O_RDONLY), $read);
    expect($path, $level, 'open for writing', opens($place, O_WRONLY), $change);
    expect($path, $level, 'create', opens($place, O_WRONLY | O_CREAT | O_EXCL),
        $level eq 'none' ? 'EACCES' : 'EEXIST');
    return;
}

sub compare_absent {
    my ($folder, $path, $answer) = @_;
    my $place = "$folder/view/$path";
    my $level = $answer->{level};
    expect($path, $level, 'lstat of an absent name', attempt(sub { lstat $place }), 'ENOENT');
    expect($path, $level, 'open of an absent name', opens($place, O_RDONLY), 'ENOENT');
    my $created = opens($place, O_WRONLY | O_CREAT | O_EXCL);
    expect($path, $level, 'create of an absent name', $created, $level eq 'write' ? 'ok' : 'EACCES');
    if ($created eq 'ok') {
        expect($path, $level, 'the new file in the source', -e "$folder/source/$path" ? 'yes' : 'no', 'yes');
        expect($path, $level, 'unlink', attempt(sub { unlink $place }), 'ok');
    }
    my $made = attempt(sub { mkdir $place });
    expect($path, $level, 'mkdir of an absent name', $made, $level eq 'write' ? 'ok' : 'EACCES');
    rmdir $place if $made eq 'ok';
    return;
}

sub names_in {
    my ($folder) = @_;
    opendir my $handle, $folder or return {};
    return { map { $_ => 1 } readdir $handle };
}

# Below a directory that is not visible, everything is missing.
sub compare_unreachable {
    my ($folder, $path, $answer) = @_;
    my $place = "$folder/view/$path";
    my $level = $answer->{level};
    expect($path, $level, 'level below a hidden directory', $level, 'none');
    expect($path, $level, 'lstat', attempt(sub { lstat $place }), 'ENOENT');
    expect($path, $level, 'create', opens($place, O_WRONLY | O_CREAT), 'ENOENT');
    return;
}

sub compare {
    my ($folder) = @_;
    open my $file, '<', "$folder/answers" or die;
    my %answers;
    while (my $line = <$file>) {
        my $answer = decode_json($line);
        $answers{ $answer->{path} =~ s{^/}{}r } = $answer;
    }
    open my $paths, '<', "$folder/paths" or die;
    local $/ = "\0";
    my @asked = map { chomp; s{^/}{}r } <$paths>;
    $/ = "\n";
    for my $path (@asked) {
        my $answer = $answers{$path};
        if (!$answer) {
            print "$path: explain says nothing of it\n";
            $failures++;
            next;
        }
        my ($parent) = $path =~ m{^(.*)/[^/]+\z};
        my @status = lstat "$folder/source/$path";
        if (defined $parent && !is_visible($answers{$parent}, 1)) {
            compare_unreachable($folder, $path, $answer);
        } elsif (@status) {
            compare_existing($folder, $path, $answer, $status[2],
                names_in("$folder/view/" . ($parent // '')));
        } else {
            compare_absent($folder, $path, $answer);
        }
    }
    return $failures ? 1 : 0;
}

my $command = shift // '';
if ($command eq 'generate' && @ARGV == 2) {
    generate(@ARGV);
} elsif ($command eq 'compare' && @ARGV == 1) {
    exit compare(@ARGV);
} else {
    die "usage: equivalence.pl generate SEED FOLDER | compare FOLDER\n";
}

#!/usr/bin/perl
# The engine against git: `none` is a line of .gitignore and a later `write` re-includes, on random
# pairs of a rule file and a tree. What git ignores must be what is `none`, in every case that git can
# express: it cannot re-include below a directory that it excludes, and exactly those paths, where a
# later rule does that, are left out. As a rule covers what lies below the path that it matches, a
# `write` is two lines for git, `!PATTERN` and `!PATTERN/**`.
#
# SCOPEFS_TEST_SEED chooses other pairs, SCOPEFS_TEST_ROUNDS more of them.
use strict;
use warnings;
use File::Path qw(make_path);
use File::Temp qw(tempdir);

my $decide = ($ENV{SCOPEFS_BUILDDIR} // '.') . '/t/unit/decide';
my $seed   = $ENV{SCOPEFS_TEST_SEED}   // 4711;
my $rounds = $ENV{SCOPEFS_TEST_ROUNDS} // 2000;
my $batch  = 100;
srand $seed;

# Directories and files have different names, so that a trailing slash, which means directories only to
# git and nothing to scopefs, can be tried on the former.
my @directories = ('d', 'e', 'dd', 'd.x', '.g', "d\xc3\xa4");
my @files = ('a', 'b.c', 'ab', '.h', '#x', '!y', 'a b', 'a]', '{z}', 'b\\c', 'b-1', 'B', 'a ', "\xff");
my @globs = (
    '*',       '?',        'a*',     '*.c',      'd*',       '*b*',      'a*b',  '[ab]*',
    '[!a]',    '[^d]*',    '[a-d]',  '?b',       '*[.]*',    '[]a]*',    'd?',   '[[:alpha:]]',
    '[a-]*',   '[\\]a]b',  '*-[0-9]', 'a**b',    '**d',      '*?*?',     '.*',   '[[:punct:]a]*',
    '\\d',     '*[[:digit:]]', '[-d]', '[d-e]',  '*[!b]',    '[a-c-e]*', '??',   '[[:lower:][:upper:]]',
);

sub one_of { return $_[ rand @_ ] }

# A name as a pattern that matches it alone.
sub escaped {
    my ($name) = @_;
    $name =~ s/([\\*?\[{}])/\\$1/g;
    $name =~ s/^([#!])/\\$1/;
    $name =~ s/ $/\\ /;
    return $name;
}

sub random_pattern {
    my @parts;
    my $count = 1 + int rand 3;
    for my $i (1 .. $count) {
        my $kind = rand;
        if    ($kind < 0.12 && $count > 1) { push @parts, '**' }
        elsif ($kind < 0.45) { push @parts, one_of(@globs) }
        elsif ($kind < 0.75 || $i < $count) { push @parts, escaped(one_of(@directories)) }
        else                 { push @parts, escaped(one_of(@files)) }
    }
    my $pattern = join '/', @parts;
    $pattern = "/$pattern" if rand() < 0.3;
    my $last = $parts[-1];
    $pattern .= '/' if rand() < 0.3 && grep { $_ eq $last } @directories;
    return $pattern;
}

sub random_rules {
    return map { [ rand() < 0.65 ? 'none' : 'write', random_pattern() ] } 1 .. 1 + int rand 7;
}

# The lines of .gitignore, and for each line the number of its rule.
sub ignore_lines {
    my (@lines, @numbers);
    my $number = 0;
    for my $rule (@_) {
        my ($level, $pattern) = @$rule;
        $number++;
        if ($level eq 'none') {
            push @lines, $pattern;
            push @numbers, $number;
            next;
        }
        (my $bare = $pattern) =~ s{/$}{};
        my $below = $bare =~ m{/} ? "$bare/**" : "**/$bare/**";
        push @lines,   "!$pattern", "!$below";
        push @numbers, $number,     $number;
    }
    return (\@lines, \@numbers);
}

# A tree in which every directory is there before what lies in it; [path, is a directory].
sub random_tree {
    my (%seen, @directories_made, @paths);
    for (1 .. 25) {
        my $above = rand() < 0.35 || !@directories_made ? '' : one_of(@directories_made) . '/';
        my $is_directory = rand() < 0.45;
        my $path = $above . ($is_directory ? one_of(@directories) : one_of(@files));
        next if $seen{$path}++;
        push @directories_made, $path if $is_directory;
        push @paths, [ $path, $is_directory ];
    }
    return @paths;
}

sub write_file {
    my ($name, $text) = @_;
    open my $file, '>:raw', $name or die "$name: $!";
    print $file $text;
    close $file or die "$name: $!";
    return;
}

# Runs the command on the input file and returns its NUL-terminated fields.
sub fields_from {
    my ($command, $input) = @_;
    my $output = "$input.out";
    my $status = system "$command <'$input' >'$output'";
    # git check-ignore exits with 1 when nothing is ignored.
    die "$command: status $status" if $status != 0 && $status != 256;
    open my $file, '<:raw', $output or die "$output: $!";
    local $/ = undef;
    my $text = <$file>;
    close $file;
    return split /\0/, $text, -1;
}

my $work = tempdir('scopefs-ignore-XXXXXX', TMPDIR => 1, CLEANUP => 1);
$ENV{HOME} = $ENV{XDG_CONFIG_HOME} = $work;
$ENV{GIT_CONFIG_NOSYSTEM} = 1;
$ENV{LC_ALL} = 'C';
delete @ENV{ grep { /^GIT_(?!CONFIG_NOSYSTEM)/ } keys %ENV };
my $repository = "$work/repository";
if (!-x $decide || system("git init -q '$repository' 2>'$work/git-errors'") != 0) {
    print "1..0 # SKIP git and $decide are needed\n";
    exit 0;
}

my ($compared, $ignored, $left_out, $different) = (0, 0, 0, 0);

sub show_difference {
    my ($pair, $path, $git, $engine) = @_;
    return if $different++ >= 5;
    print STDERR "# '$path': git says $git, the engine says $engine\n";
    print STDERR "#     $_->[0] = $_->[1]\n" for @{ $pair->{rules} };
    return;
}

# The topmost directory above the path that git excludes, as its answer, or undef.
sub excluded_above {
    my ($pair, $path) = @_;
    my $above = '';
    my @names = split m{/}, $path;
    pop @names;
    for my $name (@names) {
        $above .= $above eq '' ? $name : "/$name";
        my $answer = $pair->{git}{$above};
        return $answer if $answer && $answer->{ignored};
    }
    return;
}

sub compare {
    my ($pair) = @_;
    for my $entry (@{ $pair->{tree} }) {
        my $path   = $entry->[0];
        my $git    = $pair->{git}{$path};
        my $engine = $pair->{engine}{$path};
        my $hidden = $engine->{level} eq 'none' ? 1 : 0;
        my $above  = excluded_above($pair, $path);
        if ($above && !$hidden && $engine->{rule} > $above->{rule}) {
            $left_out++;
            next;
        }
        $compared++;
        $ignored += $git->{ignored};
        show_difference($pair, $path, $git->{ignored} ? 'ignored' : 'not ignored', $engine->{level})
            if $hidden != $git->{ignored};
    }
    return;
}

sub make_pair {
    my ($number) = @_;
    my @rules = random_rules();
    my ($lines, $numbers) = ignore_lines(@rules);
    my $folder = "p$number";
    my @tree = random_tree();
    make_path("$repository/$folder");
    mkdir "$repository/$folder/$_->[0]" for grep { $_->[1] } @tree;
    write_file("$repository/$folder/.gitignore", join '', map { "$_\n" } @$lines);
    return { name => $folder, rules => \@rules, numbers => $numbers, tree => \@tree };
}

sub ask_engine {
    my @pairs = @_;
    my ($text, $line, %rule_of_line) = ('', 0);
    for my $pair (@pairs) {
        $text .= "[scope $pair->{name}]\nsource = /s\ndefault = write\n[rules $pair->{name}]\n";
        $line += 4;
        my $number = 0;
        for my $rule (@{ $pair->{rules} }) {
            $text .= "$rule->[0] = \"$rule->[1]\"\n";
            $rule_of_line{ ++$line } = ++$number;
        }
    }
    write_file("$work/scopefs.ini", $text);
    write_file("$work/asked",
        join '', map { my $pair = $_; map { "$pair->{name}\0$_->[0]\0" } @{ $pair->{tree} } } @pairs);
    my @answers = fields_from("'$decide' '$work/scopefs.ini'", "$work/asked");
    for my $pair (@pairs) {
        for my $entry (@{ $pair->{tree} }) {
            my ($level, $at) = split / /, shift @answers;
            $pair->{engine}{ $entry->[0] } = { level => $level, rule => $rule_of_line{$at} // 0 };
        }
    }
    return;
}

sub ask_git {
    my @pairs = @_;
    write_file("$work/ignored",
        join '', map { my $pair = $_; map { "$pair->{name}/$_->[0]\0" } @{ $pair->{tree} } } @pairs);
    my @answers = fields_from("git -C '$repository' check-ignore --no-index -v -n -z --stdin",
        "$work/ignored");
    for my $pair (@pairs) {
        for my $entry (@{ $pair->{tree} }) {
            my (undef, $line, $pattern, $path) = splice @answers, 0, 4;
            die "git answers about '$path'" if $path ne "$pair->{name}/$entry->[0]";
            my $matched = $line ne '';
            $pair->{git}{ $entry->[0] } = {
                ignored => $matched && $pattern !~ /^!/ ? 1 : 0,
                rule    => $matched ? $pair->{numbers}[ $line - 1 ] : 0,
            };
        }
    }
    return;
}

print "# seed $seed, $rounds pairs\n";
for (my $done = 0; $done < $rounds; $done += $batch) {
    my $last = $done + $batch < $rounds ? $done + $batch : $rounds;
    my @pairs = map { make_pair($_) } $done .. $last - 1;
    ask_engine(@pairs);
    ask_git(@pairs);
    compare($_) for @pairs;
}

print $different == 0 ? 'ok' : 'not ok',
    " 1 - none is what git ignores ($compared paths, $ignored of them ignored, $different different)\n";
print $ignored > $compared / 10 && $compared > $rounds * 5 ? 'ok' : 'not ok',
    " 2 - and there are enough paths of either kind to mean something\n";
print $left_out < $compared / 5 ? 'ok' : 'not ok',
    " 3 - few re-included below what git excludes are left out ($left_out)\n";
print "1..3\n";
exit($different == 0 ? 0 : 1);

# SPDX-License-Identifier: Apache-2.0
# Runs Debian's sec, unmodified, on the clock of its input: perl -I tests/sec -MLogClock /usr/bin/sec --input=- …
# Standard input is SECOND<TAB>LINE; #EOF as a line ends it. The clock begins at 1700000000 and goes on by a second
# whenever sec would sleep, unless a child of it still runs.
package LogClock;
use strict;
use warnings;
use Symbol ();

my $begin = 1_700_000_000;
my $now   = $begin;
my @script;    # what is to be read, with its second
my ( $device, $inode );
our ( $write_end, %kept );

sub is_input {
    my @facts = stat shift;
    return @facts && $facts[0] == $device && $facts[1] == $inode;
}

sub readable { return @script && $script[0][0] <= $now - $begin }

# The handle behind a descriptor number, kept so that closing it here closes nothing of sec's.
sub handle_of {
    my $number = shift;
    if ( !exists $kept{$number} ) { open( $kept{$number}, '<&=', $number ) or return undef; }
    return $kept{$number};
}

sub wait_or_ask {
    my ( $read, $write, $error, $seconds ) = @_;
    if ( !defined $read && !defined $write && !defined $error ) {
        no warnings 'once';
        return CORE::select( undef, undef, undef, 0.02 ) if %main::children;
        ++$now if @script && !readable();
        return 0;
    }
    if ( defined $read ) {
        my ($number) = grep { vec( $read, $_, 1 ) } 0 .. 8 * length($read) - 1;
        my $handle = defined $number ? handle_of($number) : undef;
        return readable() ? 1 : 0 if $handle && is_input($handle);
    }
    return CORE::select( $read, $write, $error, $seconds );
}

BEGIN {
    local $/ = undef;
    my $text = <STDIN>;
    for my $line ( split /\n/, $text // '' ) {
        push @script, [ $1, $2 ] if $line =~ /^(\d+)\t(.*)$/s;
    }
    push @script, [ @script ? $script[-1][0] : 0, '#EOF' ] unless @script && $script[-1][1] eq '#EOF';
    $begin = $now = 1_700_000_000;
    pipe( my $read_end, $write_end ) or die "pipe: $!";
    open( STDIN, '<&', $read_end ) or die "stdin: $!";
    ( $device, $inode ) = stat STDIN;
    no warnings 'once';
    *CORE::GLOBAL::time    = sub () { $now };
    *CORE::GLOBAL::sleep   = sub { $now += shift // 0 };
    *CORE::GLOBAL::sysread = sub (*\$$;$) {
        my ( $handle, $buffer, $length, $offset ) = @_;
        $handle = Symbol::qualify_to_ref( $handle, scalar caller ) unless ref $handle || ref \$handle eq 'GLOB';
        return CORE::sysread( $handle, $$buffer, $length, $offset // 0 ) unless is_input($handle);
        my $entry = shift @script or return undef;
        return 0 if $entry->[1] eq '#EOF';
        my $line = "$entry->[1]\n";
        $$buffer = substr( $$buffer // '', 0, $offset // 0 ) . $line;
        return length $line;
    };
    *CORE::GLOBAL::select = sub (;*$$$) {
        return wait_or_ask(@_) if @_ > 1;
        return CORE::select() unless @_;
        my $handle = shift;
        $handle = Symbol::qualify_to_ref( $handle, scalar caller ) unless ref $handle || ref \$handle eq 'GLOB';
        return CORE::select($handle);
    };
}

1;

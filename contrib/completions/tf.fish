# Completion of tf for fish: `tf shim completion fish | source` in ~/.config/fish/config.fish.
#
# Terraform's own words, asked of Terraform, and everything behind `tf shim`. It serves tf, terraform and
# tofu where they lead to tf, and leaves other programs of these names alone.

# The program; the tf on PATH where it is not there.
set -g __tf_shim_program ''

# Prints the tf that is meant; fails where there is none.
function __tf_shim_find
    if test -n "$__tf_shim_program"; and test -x "$__tf_shim_program"
        echo -- $__tf_shim_program
    else
        command -s tf
    end
end

function __tf_shim_complete
    set -l tf (__tf_shim_find); or return
    set -l line (commandline -cp | string collect)
    set -l rows (COMP_LINE= TF_SHIM_BYPASS= $tf shim complete -- "$line" 2>/dev/null)
    set -l head (string split -m 1 \t -- $rows[1])
    set -l rest (string sub -s (math (string length -- "$head[2]") + 1) -- (commandline -ct | string collect))
    switch "$head[1]"
        case files
            string join \n -- $head[2](__fish_complete_path "$rest")
        case directories
            string join \n -- $head[2](__fish_complete_directories "$rest")
        case '*'
            string join \n -- $rows[2..-1]
    end
end

# Whether a file in place of fish's own for a name is the one that Terraform's -install-autocomplete writes. It
# would offer Terraform's commands behind `shim`, too.
function __tf_shim_is_terraforms
    for directory in $fish_complete_path
        if test -e $directory/$argv[1].fish
            string match -q '*COMP_LINE*' <$directory/$argv[1].fish
            return
        end
    end
    return 1
end

for name in tf terraform tofu
    set -l tf (__tf_shim_find); or break
    set -l found (command -s $name); or continue
    test (realpath $found) = (realpath $tf); or continue
    if __tf_shim_is_terraforms $name
        # What fish has not loaded yet, it would load later.
        complete -C "$name " >/dev/null
        complete -e -c $name
    end
    complete -c $name -f -a '(__tf_shim_complete)'
end

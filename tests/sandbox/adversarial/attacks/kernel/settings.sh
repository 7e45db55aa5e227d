# Changes a setting of the kernel, to what it is already.
# defence: user
# proof: namespaces root
setting=/proc/sys/kernel/printk_ratelimit
value=$(cat $setting)
(echo "$value" > $setting) 2>/dev/null && echo taken || echo held

type=Single
ptype=SubStr
pattern=x
desc=d
action=write - with blank

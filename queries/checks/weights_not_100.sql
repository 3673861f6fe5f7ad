-- title: line weights do not sum to 100
-- severity: error
-- rule: design: nine lines carry 100 points together
select
    sum(weight.weight) as weights
from seed.line_weight as weight
where weight.valid_from <= $month
    and (weight.valid_to is null or weight.valid_to >= $month)
having coalesce(sum(weight.weight), 0) <> 100
